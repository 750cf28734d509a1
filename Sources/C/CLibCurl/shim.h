#pragma once
#include <curl/curl.h>

// Swift sees no variadic function; one door per type of argument.

static inline CURLcode curl_shim_set_long(CURL *handle, CURLoption option, long value) {
    return curl_easy_setopt(handle, option, value);
}
static inline CURLcode curl_shim_set_offset(CURL *handle, CURLoption option, curl_off_t value) {
    return curl_easy_setopt(handle, option, value);
}
static inline CURLcode curl_shim_set_string(CURL *handle, CURLoption option, const char *value) {
    return curl_easy_setopt(handle, option, value);
}
static inline CURLcode curl_shim_set_pointer(CURL *handle, CURLoption option, void *value) {
    return curl_easy_setopt(handle, option, value);
}
static inline CURLcode curl_shim_set_list(CURL *handle, CURLoption option, struct curl_slist *value) {
    return curl_easy_setopt(handle, option, value);
}
typedef size_t (*curl_shim_transfer)(char *data, size_t size, size_t count, void *context);
static inline CURLcode curl_shim_set_transfer(CURL *handle, CURLoption option, curl_shim_transfer callback) {
    return curl_easy_setopt(handle, option, callback);
}
typedef int (*curl_shim_seek)(void *context, curl_off_t offset, int origin);
static inline CURLcode curl_shim_set_seek(CURL *handle, curl_shim_seek callback) {
    return curl_easy_setopt(handle, CURLOPT_SEEKFUNCTION, callback);
}
static inline CURLcode curl_shim_get_long(CURL *handle, CURLINFO info, long *value) {
    return curl_easy_getinfo(handle, info, value);
}
static inline CURLcode curl_shim_get_offset(CURL *handle, CURLINFO info, curl_off_t *value) {
    return curl_easy_getinfo(handle, info, value);
}
static inline CURLMcode curl_shim_multi_set_long(CURLM *multi, CURLMoption option, long value) {
    return curl_multi_setopt(multi, option, value);
}
// Members of a union, which Swift would read through unsafe pointers.
static inline CURLcode curl_shim_message_result(const CURLMsg *message) { return message->data.result; }
