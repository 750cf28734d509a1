internal import ConnectConfig
internal import ConnectModel
internal import ConnectSDK
internal import Converters
internal import JSONReading
internal import Transforms
internal import XMLReading

extension Probe {
    /// The streaming reader of XML, in pieces, with and without an encoding given.
    public static let xml = Probe(
        "xml",
        [
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?><a b='c&amp;d'><![CDATA[x]]><e/>&#1488;<!-- n --></a>",
            "<Root><ChainId>729</ChainId><Items Count=\"2\"><Item><Price>5.90</Price></Item><Item/></Items></Root>",
            "<r><a>1</a>stray<b>2</b></r>",
        ],
        more: [
            Array("<?xml version=\"1.0\" encoding=\"windows-1255\"?><r>".utf8) + [0xE7, 0xEC, 0xE1]
                + Array("</r>".utf8),
            [0xFF, 0xFE] + "<r>x</r>".utf16.flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] },
        ]
    ) { bytes in
        for encoding in [nil, XMLEncoding.windows1255] {
            guard let reader = try? XMLReader(encoding: encoding, textLimit: 1 << 16) else { continue }
            let step = 7 + bytes.count / 3
            do throws(XMLReadingError) {
                for start in stride(from: 0, to: bytes.count, by: step) {
                    let piece = Array(bytes[start..<min(bytes.count, start + step)])
                    try unsafe reader.feed(piece.span.bytes)
                    for index in 0..<reader.eventCount { _ = reader.string(of: reader[index]) }
                    reader.discardEvents()
                }
                try reader.finish()
            } catch { _ = error.description }
        }
    }

    /// Both readers of JSON.
    public static let json = Probe(
        "json",
        [
            #"{"id":1,"name":"x\u00e9\n","price":12.50,"tags":["a",null,true,{"b":[]}],"big":18446744073709551616,"e":-1.5e-7}"#,
            #"[0,-0,1e308,"\ud83d\ude00",[[[[]]]],{}]"#, "\"text\"", "null", "  12  ",
            #"{"a":{"b":{"c":[1,2,3]}},"a":2}"#,
        ]
    ) { bytes in
        if let value = try? JSONParser(maxDepth: 50).parse(bytes) { _ = value.javaText }
        let reader = JSONObjectReader(maxDepth: 50)
        do throws(JSONError) {
            try reader.read(bytes)
            for field in 0..<reader.count {
                _ = (reader.key(field), reader.kind(field), reader.int64(field), reader.rawRange(field))
                if reader.kind(field) == .string { _ = reader.text(field) }
            }
        } catch { _ = (error.description, error.position(in: bytes)) }
    }

    /// Every converter of values and of headers, there and back.
    public static let converters = Probe(
        "converters",
        [
            #"{"schema":{"type":"struct","optional":false,"fields":[{"type":"int32","field":"a","default":3},"#
                + #"{"type":"array","items":{"type":"string"},"field":"b"}]},"payload":{"a":1,"b":["x"]}}"#,
            #"{"schema":{"type":"bytes","name":"org.apache.kafka.connect.data.Decimal","parameters":{"scale":"2"}},"payload":"MDk="}"#,
            #"{"schema":{"type":"map","keys":{"type":"int8"},"values":{"type":"double","optional":true}},"payload":[[1,1.5],[2,null]]}"#,
            #"{"schema":{"type":"int64","name":"org.apache.kafka.connect.data.Timestamp"},"payload":1700000000000}"#,
            #"{"a":01,"b":"\u00e9",}"#, "[1, 2,, 3] x", "text", "[1.5, true, null]", #"{"k": "v", "n": 1}"#,
            "2024-01-01T00:00:00.000Z", "\u{FEFF}{}",
        ],
        more: [[0xFE, 0xFF, 0, 0x7B, 0, 0x7D], [0, 0, 0, 1], [1], []]
    ) { bytes in
        for plugin in Converters.all {
            for config in [[:], ["schemas.enable": "false"], ["converter.encoding": "UTF-16"]] {
                guard let converter = try? plugin.make(config, false),
                    let data = try? converter.toConnect(topic: "t", bytes: unsafe bytes.span.bytes)
                else { continue }
                _ = try? converter.fromConnect(topic: "t", data)
            }
        }
        for plugin in Converters.headers {
            guard let converter = try? plugin.make([:], false),
                let data = try? converter.toConnectHeader(topic: "t", name: "h", bytes: bytes)
            else { continue }
            _ = try? converter.fromConnectHeader(topic: "t", name: "h", data)
        }
    }

    private static let evaluation = Evaluation(
        plugins: Plugins(
            connectors: [],
            converters: Converters.all,
            headerConverters: Converters.headers,
            transforms: Transforms.all,
            predicates: Transforms.predicates
        )
    ) { _, _ throws(DataError) in [] }

    /// Questions of `sluice eval`: transforms and their paths, specs and patterns, schemas, converters.
    public static let questions = Probe(
        text: "questions",
        [
            #"{"config":{"transforms":"t","transforms.t.type":"Compute","transforms.t.field":"x","transforms.t.expression":"a.b[0] * 2"},"#
                + #""input":{"kind":"sink","topic":"t","partition":0,"offset":1,"key":{"schema":null,"payload":null},"#
                + #""value":{"schema":null,"payload":{"a":{"b":[1.5]}}},"headers":[]}}"#,
            #"{"config":{"transforms":"t","transforms.t.type":"FilterBy","transforms.t.condition":"a in ('x', 'y') and b < 1"},"#
                + #""input":{"kind":"source","topic":"t","value":{"schema":null,"payload":{"a":"x","b":0}}}}"#,
            #"{"config":{"transforms":"c,e","transforms.c.type":"org.apache.kafka.connect.transforms.Cast$Value","#
                + #""transforms.c.spec":"a:int8,b:string","transforms.e.type":"org.apache.kafka.connect.transforms.ExtractField$Value","#
                + #""transforms.e.field":"b.`c.d`","transforms.e.field.syntax.version":"V2"},"input":{"kind":"source","topic":"t","#
                + #""value":{"schema":{"type":"struct","fields":[{"type":"int64","field":"a"},{"type":"double","optional":true,"field":"b"}]},"#
                + #""payload":{"a":300,"b":1.5}}}}"#,
            #"{"config":{"transforms":"r","transforms.r.type":"RegexRouter","transforms.r.regex":"(a|ab)(c|bcd)(d*)","#
                + #""transforms.r.replacement":"$2-${x}"},"input":{"kind":"source","topic":"abcd","value":{"schema":null,"payload":null}}}"#,
            #"{"config":{"transforms":"d","transforms.d.type":"org.apache.kafka.connect.transforms.TimestampConverter$Value","#
                + #""transforms.d.target.type":"Timestamp","transforms.d.format":"yyyy-MM-dd HH:mm"},"#
                + #""input":{"kind":"source","topic":"t","value":{"schema":null,"payload":"2024-02-29 22:13"}}}"#,
            #"{"converter":"JsonConverter","config":{"schemas.enable":"false"},"direction":"to_connect","bytes":"{\"a\":1}"}"#,
            #"{"converter":"JsonConverter","config":{},"direction":"from_connect","input":{"schema":{"type":"int8"},"payload":5}}"#,
        ]
    ) { _ = evaluation.answer(line: $0) }

    /// Files in properties syntax.
    public static let properties = Probe(
        text: "properties",
        [
            "# comment\nbootstrap.servers = a:1,b:2\ngroup.id:g\nlong = one\\\n   two\nkey\\ with\\:blank=\\u00e9\\t\n!x\nempty=\n",
            "a=1\r\na=2\rb 3\\\\\n\\u12", "=", "\\",
        ]
    ) { text in
        if let file = try? PropertiesFile(text, name: "f") { _ = (file.values, file.duplicates) }
    }
}
