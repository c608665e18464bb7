# leasecheck_tsan_mutex(program): in a ThreadSanitizer build, lets it see absl::Mutex (cmake/tsan_absl_mutex.cc says why).
function(leasecheck_tsan_mutex program)
  if(NOT LEASECHECK_SANITIZE MATCHES "thread")
    return()
  endif()
  target_sources(${program} PRIVATE ${PROJECT_SOURCE_DIR}/cmake/tsan_absl_mutex.cc)
  target_link_libraries(${program} PRIVATE absl::synchronization)
  foreach(method Mutex4LockEv Mutex10ReaderLockEv Mutex7TryLockEv Mutex13ReaderTryLockEv Mutex6UnlockEv Mutex12ReaderUnlockEv
                 Mutex5AwaitERKNS0_9ConditionE Mutex17AwaitWithDeadlineERKNS0_9ConditionENS0_4TimeE
                 Mutex16AwaitWithTimeoutERKNS0_9ConditionENS0_8DurationE Mutex8LockWhenERKNS0_9ConditionE CondVar4WaitEPNS0_5MutexE
                 CondVar15WaitWithTimeoutEPNS0_5MutexENS0_8DurationE)
    if(method MATCHES "^Mutex")
      set(symbol "_ZN4absl7debian35${method}")
    else()
      set(symbol "_ZN4absl7debian37${method}")
    endif()
    target_link_options(${program} PRIVATE "-Wl,--wrap=${symbol}")
  endforeach()
endfunction()
