#include "CSimdJSON.h"
#include <simdjson.h>

#define CSIMDJSON_TEXT(x) #x
#define CSIMDJSON_EXPANDED(x) CSIMDJSON_TEXT(x)

const char *csimdjson_version(void) { return CSIMDJSON_EXPANDED(SIMDJSON_VERSION); }
