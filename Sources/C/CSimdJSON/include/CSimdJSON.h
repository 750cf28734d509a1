#pragma once
#ifdef __cplusplus
extern "C" {
#endif
/// The version of simdjson this library was built with.
const char *csimdjson_version(void);
#ifdef __cplusplus
}
#endif
