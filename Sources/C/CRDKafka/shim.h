#pragma once
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

/// `rd_kafka_producev`, which is variadic and so invisible to Swift, with every part that a record can have.
/// The payload is copied. `headers` may be NULL; on success librdkafka owns them, otherwise the caller still does.
static inline rd_kafka_resp_err_t rdkafka_produce_full(
    rd_kafka_t *rk, rd_kafka_topic_t *rkt, int32_t partition, const void *key, size_t key_len, const void *value,
    size_t value_len, int64_t timestamp, rd_kafka_headers_t *headers, void *opaque) {
    if (headers)
        return rd_kafka_producev(
            rk, RD_KAFKA_V_RKT(rkt), RD_KAFKA_V_PARTITION(partition), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
            RD_KAFKA_V_KEY(key, key_len), RD_KAFKA_V_VALUE((void *)value, value_len),
            RD_KAFKA_V_TIMESTAMP(timestamp), RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_OPAQUE(opaque), RD_KAFKA_V_END);
    return rd_kafka_producev(
        rk, RD_KAFKA_V_RKT(rkt), RD_KAFKA_V_PARTITION(partition), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
        RD_KAFKA_V_KEY(key, key_len), RD_KAFKA_V_VALUE((void *)value, value_len), RD_KAFKA_V_TIMESTAMP(timestamp),
        RD_KAFKA_V_OPAQUE(opaque), RD_KAFKA_V_END);
}

/// `rd_kafka_error_new`, which is variadic, with a finished text.
static inline rd_kafka_error_t *rdkafka_error_new(rd_kafka_resp_err_t code, const char *text) {
    return rd_kafka_error_new(code, "%s", text);
}

/// Counts of the admin results whose C functions return the array and the count in one.
static inline size_t rdkafka_topic_results(rd_kafka_event_t *event, const rd_kafka_topic_result_t ***results) {
    size_t count = 0;
    const rd_kafka_CreateTopics_result_t *created = rd_kafka_event_CreateTopics_result(event);
    const rd_kafka_DeleteTopics_result_t *deleted = rd_kafka_event_DeleteTopics_result(event);
    const rd_kafka_CreatePartitions_result_t *grown = rd_kafka_event_CreatePartitions_result(event);
    if (created) *results = rd_kafka_CreateTopics_result_topics(created, &count);
    else if (deleted) *results = rd_kafka_DeleteTopics_result_topics(deleted, &count);
    else if (grown) *results = rd_kafka_CreatePartitions_result_topics(grown, &count);
    return count;
}
