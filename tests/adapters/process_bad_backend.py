"""A backend that is correct up to one misbehaviour, named by its argument. It misbehaves at list_queued_work where that is possible."""
import json
import os
import sys
import time

MODE = sys.argv[1]
INITIALIZE = {"protocol": 1, "name": "bad", "version": "1", "families": ["session_store"], "clock": "virtual",
              "concurrency": 1, "durable": True}
INITIALIZE.update({
    "wrong_protocol": {"protocol": 2},
    "no_protocol": {"protocol": "1"},
    "no_name": {"name": None},
    "other_family": {"families": ["state_backend"]},
    "unknown_operation": {"operations": ["list_queued_work", "drop_table"]},
    "few_operations": {"operations": ["list_queued_work"]},
    "unknown_dialect": {"dialects": {"QW-LAT-99": "allow"}},
    "unknown_word": {"dialects": {"QW-LAT-7": "perhaps"}},
    "word_for_number": {"dialects": {"LENGTH": "long"}},
    "no_dialects": {"dialects": []},
    "odd_clock": {"clock": "sundial"},
    "no_concurrency": {"concurrency": 0},
    "system_clock": {"clock": "system"},
    "not_durable": {"durable": False},
}.get(MODE, {}))


def say(text):
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def answer(ident, **member):
    say(json.dumps({"jsonrpc": "2.0", "id": ident, **member}))


def error(ident, code, data=None):
    answer(ident, error={"code": code, "message": "as asked", "data": data})


def misbehave(ident):
    if MODE == "dies":
        sys.stderr.write("Traceback: the dog ate it\n")
        sys.stderr.flush()
        os._exit(3)
    elif MODE == "kills_itself":
        os.kill(os.getpid(), 9)
    elif MODE == "dies_with_company":
        # Somebody of the group keeps the pipes open.
        if os.fork() == 0:
            time.sleep(600)
        os._exit(3)
    elif MODE == "hangs":
        sys.stderr.write("serving\n")
        sys.stderr.flush()
        time.sleep(600)
    elif MODE == "rubbish":
        say("Listening on port 8080 ...")
    elif MODE == "empty_line":
        say("")
    elif MODE == "bad_utf8":
        sys.stdout.buffer.write(b'{"jsonrpc":"2.0","id":%d,"result":["\xff"]}\n' % ident)
        sys.stdout.flush()
    elif MODE == "array":
        say("[]")
    elif MODE == "twice":
        answer(ident, result=[])
        answer(ident, result=[])
    elif MODE == "wrong_id":
        answer(ident + 1000, result=[])
    elif MODE == "string_id":
        answer(str(ident), result=[])
    elif MODE == "no_version":
        say(json.dumps({"id": ident, "result": []}))
    elif MODE == "both":
        answer(ident, result=[], error={"code": 1, "message": ""})
    elif MODE == "odd_error":
        answer(ident, error="no")
    elif MODE == "huge_line":
        say("x" * (16 * 1024 * 1024 + 1))
    elif MODE == "big_line":
        frame = json.dumps({"jsonrpc": "2.0", "id": ident, "result": [], "pad": ""})
        say(frame[:-2] + "y" * (16 * 1024 * 1024 - len(frame)) + frame[-2:])
    elif MODE == "closes_stdout":
        os.close(1)
        time.sleep(600)
    elif MODE == "closes_stdin":
        os.close(0)
        time.sleep(600)
    elif MODE == "stderr_flood":
        for number in range(20000):
            sys.stderr.write("%09d" % number + "." * 90 + "\n")
        sys.stderr.flush()
        answer(ident, result=[])
    elif MODE == "code":
        error(ident, -32050)
    elif MODE == "params_code":
        error(ident, -32602)
    elif MODE == "unknown_error":
        error(ident, -32000, {"error": "Gone"})
    elif MODE == "contract_error":
        error(ident, -32000, {"error": "Backend", "text": "disk", "more": 1})
    elif MODE == "indefinite":
        error(ident, -32001)
    elif MODE == "unsupported":
        error(ident, -32601)
    elif MODE == "missing_field":
        answer(ident, result=[{"batch_id": "b"}])
    else:
        answer(ident, result=[])


def main():
    if MODE == "dies_at_once":
        sys.exit("cannot find my configuration")
    while line := sys.stdin.readline():
        request = json.loads(line)
        ident, method = request["id"], request["method"]
        if method == "initialize":
            answer(ident, result=INITIALIZE)
        elif method == "list_queued_work":
            misbehave(ident)
        elif method == "shutdown":
            if MODE == "hangs_at_shutdown":
                answer(ident, result={})
                time.sleep(600)
            if MODE != "silent_shutdown":
                answer(ident, result={})
            sys.exit(4 if MODE == "exit_4" else 0)
        elif method == "reset" and MODE == "refuses_reset":
            error(ident, -32603)
        elif method == "reset" and MODE == "odd_reset":
            answer(ident, result=None)
        else:
            answer(ident, result={})


main()
