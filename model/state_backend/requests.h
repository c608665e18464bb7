// The arguments of all state_backend operations.
#ifndef LEASECHECK_MODEL_STATE_BACKEND_REQUESTS_H_
#define LEASECHECK_MODEL_STATE_BACKEND_REQUESTS_H_

#include "model/state_backend/access_requests.h"
#include "model/state_backend/event_requests.h"
#include "model/state_backend/work_requests.h"
#include "model/state_backend/workflow_requests.h"

#endif  // LEASECHECK_MODEL_STATE_BACKEND_REQUESTS_H_
