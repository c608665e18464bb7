// Check, traces and spec of every family, for code that visits them all. Adding a family: its line.
#ifndef LEASECHECK_PROPERTIES_REGISTRY_H_
#define LEASECHECK_PROPERTIES_REGISTRY_H_

#include "model/families.h"
#include "properties/check.h"
#include "properties/engine/trace.h"
#include "properties/runtime_persistence.h"
#include "properties/runtime_repository.h"
#include "properties/session_store.h"
#include "properties/state_backend.h"

#endif  // LEASECHECK_PROPERTIES_REGISTRY_H_
