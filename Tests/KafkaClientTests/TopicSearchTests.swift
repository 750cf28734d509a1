import Testing

@testable import KafkaClient

/// A search with a clock of its own, in milliseconds.
private final class Search {
    private let start = ContinuousClock.now
    private var search: TopicSearch

    init(named: [String] = [], matches: @escaping @Sendable (String) -> Bool = { $0.hasPrefix("price") }) {
        search = TopicSearch(named: named, interval: .seconds(2), now: start, matches: matches)
    }
    var isCurrent: Bool { search.currentAsOf != nil }
    func isDue(_ time: Int) -> Bool { search.isDue(start + .milliseconds(time)) }
    func found(_ topics: [String]?, isJoining: Bool = false, at time: Int) -> TopicSearch.Decision {
        search.found(topics, isJoining: isJoining, now: start + .milliseconds(time))
    }
}

@Suite struct TopicSearchTests {

    @Test func `topics that come one after the other are joined together`() {
        let search = Search()
        #expect(search.isDue(0))
        #expect(search.found(["price-a", "other"], at: 0) == .wait)
        #expect(!search.isDue(200))
        #expect(search.isDue(250))
        #expect(search.found(["price-a", "price-b"], at: 250) == .wait)
        #expect(search.isDue(500))
        let now = search.found(["price-b", "price-a", "other"], at: 500)
        #expect(now == .subscribe(["price-a", "price-b"]))
        #expect(!search.isDue(2_400))
        #expect(!search.isCurrent)
        #expect(search.isDue(2_500))
        #expect(search.found(["price-a", "price-b"], at: 2_500) == .wait)
        #expect(search.isCurrent)
    }

    @Test func `nothing changes in the middle of a join`() {
        let search = Search()
        for time in [0, 250] { _ = search.found(["price-a"], at: time) }
        for time in [2_250, 2_500] {
            #expect(search.isDue(time))
            #expect(search.found(["price-a", "price-b"], isJoining: true, at: time) == .wait)
        }
        #expect(search.isDue(2_750))
        let later = search.found(["price-a", "price-b"], at: 2_750)
        #expect(later == .subscribe(["price-a", "price-b"]))
    }

    @Test func `named topics need not exist, Kafka's own never match, no answer changes nothing`() {
        let search = Search(named: ["orders"]) { _ in true }
        #expect(search.found(nil, at: 0) == .wait)
        #expect(search.found(["__consumer_offsets"], at: 250) == .wait)
        #expect(search.found(["__transaction_state"], at: 500) == .subscribe(["orders"]))
    }

    @Test func `topics that are gone leave the subscription, the last one stays`() {
        let search = Search()
        for time in [0, 250] { _ = search.found(["price-a", "price-b"], at: time) }
        _ = search.found(["price-a"], at: 2_250)
        #expect(search.found(["price-a"], at: 2_500) == .subscribe(["price-a"]))
        for time in [4_500, 4_750] { #expect(search.found([], at: time) == .wait) }
    }
}
