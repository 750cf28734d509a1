import ConnectConfig
import ConnectModel
import ConnectSDK
import FileAccess
import JSONReading
import Logs
import TransferClient

private let log = Logger("sluice.elasticsearch.sink")

/// Makes indexes that are not there yet, once per name.
struct IndexMaker {
    private let rules: IndexRules
    private var known: Set<String> = []

    init(_ rules: IndexRules) { self.rules = rules }

    /// Returns once the indexes of these topics are there.
    mutating func prepare(_ topics: Set<String>, _ connection: SearchConnection) throws(TaskFailure) {
        guard rules.createsIndexes else { return }
        for name in Set(topics.map(rules.name)).subtracting(known).sorted() {
            try prepare(index: name, connection)
            known.insert(name)
        }
    }

    /// Looks again before the next batch: an index has vanished.
    mutating func forget() { known.removeAll() }

    private func prepare(index name: String, _ connection: SearchConnection) throws(TaskFailure) {
        let doing = "looking for index \(name)"
        let present = try connection.send("HEAD", "/\(name.percentEncoded)")
        if present.status == 200 { return }
        guard present.status == 404 else { throw TaskFailure(present, doing: doing) }
        let made = try connection.send("PUT", "/\(name.percentEncoded)", json: try definition(of: name))
        let type = BulkAnswer.error(in: made.body).type
        if made.isSuccess || type == "resource_already_exists_exception" {
            return log.info("Index is ready", ["index": "\(name)", "made": .bool(made.isSuccess)])
        }
        if made.status == 400 {
            let (type, reason) = BulkAnswer.error(in: made.body)
            let key =
                type == "invalid_index_name_exception"
                ? ElasticsearchSink.Keys.resourceMapping.name : ElasticsearchSink.Keys.mappingFile.name
            throw .config(key, doing: "making index \(name)", because: "\(type): \(reason)")
        }
        throw TaskFailure(made, doing: "making index \(name)")
    }

    private func definition(of name: String) throws(TaskFailure) -> [UInt8] {
        guard !rules.mappingFile.isEmpty else {
            let replicas = rules.replicas < 0 ? "" : #","number_of_replicas":\#(rules.replicas)"#
            return Array(#"{"settings":{"number_of_shards":\#(rules.shards)\#(replicas)}}"#.utf8)
        }
        let path = rules.mappingFile.replacing("${index}", with: name)
        let key = ElasticsearchSink.Keys.mappingFile.name
        let text: [UInt8]
        do { text = try FileTree.read(path, most: 4 << 20) } catch {
            throw .config(key, doing: "making index \(name)", because: "\(error)")
        }
        guard case .map(let fields)? = try? JSONParser().parse(text),
            fields["mappings"] != nil || fields["settings"] != nil
        else {
            let because = "\(path) must hold a JSON object with mappings or settings"
            throw .config(key, doing: "making index \(name)", because: because)
        }
        return text
    }
}
