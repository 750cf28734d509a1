import ConnectConfig
import ConnectSDK
import Testing

@testable import Transforms

@Suite struct RecordTrialTests {
    private func trial(_ config: [String: String], isSink: Bool = true) throws -> RecordTrial {
        let plugins = Plugins(connectors: [], transforms: Transforms.all, predicates: Transforms.predicates)
        return try RecordTrial(config: config, isSink: isSink, plugins: plugins)
    }
    private let chain = [
        "topics": " deals , x ", "transforms": "deal,margin,route", "transforms.deal.type": "FilterBy",
        "transforms.deal.condition": "price <= target", "transforms.margin.type": "Compute",
        "transforms.margin.field": "margin", "transforms.margin.expression": "target - price",
        "transforms.route.type": "RegexRouter", "transforms.route.regex": "(.*)",
        "transforms.route.replacement": "out-$1",
    ]
    private func run(_ config: [String: String], _ line: String, isSink: Bool = true) throws -> RecordTrial.Outcome {
        try trial(config, isSink: isSink).run(line: Array(line.utf8), number: 5)
    }

    @Test func `a plain value takes the connector's topic`() throws {
        #expect(
            try run(chain, #"{"price":1.50,"target":2}"#)
                == .passed(
                    #"{"topic":"out-deals","partition":0,"offset":4,"key":null,"value":{"price":1.50,"target":2,"margin":0.50}}"#
                )
        )
        #expect(
            try run(chain, #"{"price":1,"target":2}"#, isSink: false)
                == .passed(#"{"topic":"out-deals","key":null,"value":{"price":1,"target":2,"margin":1}}"#)
        )
    }
    @Test func `a record has its own parts`() throws {
        let line =
            #"{"topic":"t","partition":2,"offset":9,"timestamp":7,"key":"k","value":{"price":1,"target":1},"headers":[{"a":"x"}]}"#
        let wanted =
            #"{"topic":"out-t","partition":2,"offset":9,"timestamp":7,"key":"k","value":{"price":1,"target":1,"margin":0},"headers":[{"a":"x"}]}"#
        #expect(try run(chain, line) == .passed(wanted))
        // An object with another key is a value, whatever else it has.
        #expect(
            try run([:], #"{"value":1,"price":2}"#, isSink: false)
                == .passed(#"{"topic":"topic","key":null,"value":{"value":1,"price":2}}"#)
        )
    }
    @Test func `schemas come in and go out`() throws {
        let value = #"{"schema":{"type":"int32","optional":false},"payload":5}"#
        let config = [
            "transforms": "h", "transforms.h.type": "org.apache.kafka.connect.transforms.HoistField$Value",
            "transforms.h.field": "n",
        ]
        let wanted =
            #"{"schema":{"type":"struct","fields":[{"type":"int32","optional":false,"field":"n"}],"optional":false},"payload":{"n":5}}"#
        #expect(
            try run(config, #"{"value":\#(value)}"#, isSink: false)
                == .passed(#"{"topic":"topic","key":null,"value":\#(wanted)}"#)
        )
    }
    @Test func `drops and refusals name the transform`() throws {
        #expect(try run(chain, #"{"price":3,"target":2}"#) == .dropped(transform: "deal", plugin: "FilterBy"))
        let refused =
            "transform deal (FilterBy): expression \"price <= target\", position 7: <= compares values of one kind, got text and number"
        #expect(try run(chain, #"{"price":"3","target":2}"#) == .failed(reason: refused))
        #expect(
            try run(chain, #"{"value":1,"partition":"x"}"#)
                == .failed(reason: "not a record: partition must be a whole number")
        )
        guard case .failed(let reason) = try run(chain, #"{"price":"#) else {
            Issue.record("taken")
            return
        }
        #expect(reason.hasPrefix("not JSON: "))
    }
    @Test func `a wrong config says which key`() {
        let error = #expect(throws: ConfigInvalid.self) {
            try trial(["transforms": "a", "transforms.a.type": "FilterBy", "transforms.a.condition": "1 <"])
        }
        #expect(error?.issues.map(\.key) == ["transforms.a.condition"])
    }
}
