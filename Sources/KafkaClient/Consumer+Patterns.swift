internal import Blocking
internal import CRDKafka

extension Consumer {
    /// `topic.metadata.refresh.interval.ms`, librdkafka's five minutes by default.
    var lookInterval: Duration {
        .milliseconds(settings["topic.metadata.refresh.interval.ms"].flatMap { Int($0) } ?? 300_000)
    }

    /// Asks for the names of all topics when that is due, so that new ones which match the pattern join the subscription.
    ///
    /// librdkafka 2.0 refreshes by itself only while it knows at least one topic: a pattern that matches nothing yet would
    /// wait for minutes. A failure does not matter, the next poll asks again.
    func lookForTopics() async {
        guard takeDueLook() else { return }
        let handle = handle
        await control.run {
            unsafe handle.withPointer { rk in
                var found: UnsafePointer<rd_kafka_metadata>?
                let code = unsafe rd_kafka_metadata(rk, 1, nil, &found, 1_000)
                if code == RD_KAFKA_RESP_ERR_NO_ERROR { unsafe rd_kafka_metadata_destroy(found) }
            }
        }
    }
}
