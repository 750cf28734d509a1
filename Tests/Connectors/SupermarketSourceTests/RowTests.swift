import ConnectModel
import Testing

/// Rows of a document in a file of that name.
private func rows(_ document: String, name: String = "Price7290875100001-066-202601051222.xml") async throws -> [String]
{
    let inbox = try Inbox()
    try inbox.put(name, document)
    return try await run(inbox.config()).map(\.value)
}

@Suite struct RowTests {
    @Test func `header and row make one flat object`() async throws {
        let document = """
            <Root><ChainId>7290875100001</ChainId><StoreId>066</StoreId><Items Count="2">
              <Item><ItemCode>007</ItemCode><ItemNm>חלב "טרי" 3%\n</ItemNm><ItemPrice>51.140</ItemPrice><Unit/></Item>
              <Item><ITEMCODE>8</ITEMCODE><ItemStatus> </ItemStatus></Item></Items></Root>
            """
        #expect(
            try await rows(document) == [
                #"{"chainid":"7290875100001","storeid":"066","itemcode":"007","itemnm":"חלב \"טרי\" 3%\n","itemprice":"51.140","unit":""}"#,
                #"{"chainid":"7290875100001","storeid":"066","itemcode":"8","itemstatus":" "}"#,
            ]
        )
    }

    @Test func `repeats are lists, promotion items always`() async throws {
        let document = """
            <Root><Promotions><Promotion><PromotionId>1</PromotionId><Remarks><Remark>a</Remark></Remarks>
            <PromotionItems><Item><ItemCode>1</ItemCode></Item></PromotionItems><Clubs><ClubId>0</ClubId></Clubs></Promotion>
            <Promotion><Remarks><Remark>a</Remark><Other>o</Other><Remark>b</Remark></Remarks><PromotionItems Count="2">
            <Item><ItemCode>1</ItemCode></Item><Item><ItemCode>2</ItemCode></Item></PromotionItems><Clubs/></Promotion>
            <Promotion><Groups><Group><GroupID>1</GroupID><PromotionItems><PromotionItem><ItemCode>0</ItemCode>
            </PromotionItem></PromotionItems></Group></Groups><X>1</X><X>2</X></Promotion></Promotions></Root>
            """
        #expect(
            try await rows(document, name: "Promo7290875100001-066-202601051222.xml") == [
                #"{"promotionid":"1","remarks":{"remark":"a"},"promotionitems":{"item":[{"itemcode":"1"}]},"clubs":{"clubid":["0"]}}"#,
                #"{"remarks":{"remark":["a","b"],"other":"o"},"promotionitems":{"item":[{"itemcode":"1"},{"itemcode":"2"}]},"clubs":{}}"#,
                #"{"groups":{"group":[{"groupid":"1","promotionitems":{"promotionitem":[{"itemcode":"0"}]}}]},"x":["1","2"]}"#,
            ]
        )
    }

    @Test func `header fields of sections, and those after the list`() async throws {
        let document = """
            <Root><ChainId>1</ChainId><SubChains><SubChain><SubChainId>1</SubChainId><Stores><Store><StoreId>1</StoreId>
            </Store></Stores><SubChainName>one</SubChainName></SubChain><SubChain><SubChainId>2</SubChainId><Stores>
            <Store><ChainId>9</ChainId><StoreId>2</StoreId></Store></Stores></SubChain></SubChains>
            <LastUpdateDate>d</LastUpdateDate><StoreId>late</StoreId></Root>
            """
        #expect(
            try await rows(document, name: "Stores7290875100001-000-202601051222.xml") == [
                #"{"chainid":"1","subchainid":"1","storeid":"1","subchainname":"one","lastupdatedate":"d"}"#,
                #"{"subchainid":"2","chainid":"9","storeid":"2","lastupdatedate":"d"}"#,
            ]
        )
    }

    @Test func `other shapes`() async throws {
        let dataset = """
            <NewDataSet><xs:schema xmlns:xs="urn:x"><xs:element/></xs:schema><Item><ItemCode>1</ItemCode></Item></NewDataSet>
            """
        #expect(try await rows(dataset) == [#"{"itemcode":"1"}"#])
        let cityMarket = """
            <SubChainsXMLObject><SubChainXMLObject><SubChainID>3</SubChainID><Stores><SubChainStoresXMLObject>
            <Store><StoreID>1</StoreID></Store><Store><StoreID>2</StoreID></Store></SubChainStoresXMLObject></Stores>
            </SubChainXMLObject></SubChainsXMLObject>
            """
        #expect(
            try await rows(cityMarket, name: "Stores7290000000003-000-202601051222.xml") == [
                #"{"subchainid":"3","storeid":"1"}"#, #"{"subchainid":"3","storeid":"2"}"#,
            ]
        )
        let bare = "<Promotions><Promotion><PromotionId>1</PromotionId></Promotion></Promotions>"
        #expect(try await rows(bare, name: "Promo7290000000003-000-202601051222.xml") == [#"{"promotionid":"1"}"#])
        let matrix = """
            <Store Date="x" Time="y"><Branches><Branch><ChainID>7</ChainID><StoreID>1</StoreID></Branch></Branches></Store>
            """
        #expect(
            try await rows(matrix, name: "Stores7290696200003-000-202601051222.xml") == [
                #"{"chainid":"7","storeid":"1"}"#
            ]
        )
    }

    @Test func `what the document holds wins over its name`() async throws {
        let inbox = try Inbox()
        try inbox.put(
            "NULLPrice7290058108879-001-202601051222.xml",
            "<Root><Promotions Count='3'><Promotion><PromotionId>1</PromotionId></Promotion></Promotions></Root>"
        )
        let context = FakeContext()
        let records = try await run(inbox.config(), context: context)
        #expect(records.map(\.topic) == ["promo-king_store"])
        #expect(context.sum("connect_source_file_warnings_total", "other_type") == 1)
        #expect(context.sum("connect_source_file_warnings_total", "wrong_count") == 1)
    }

    @Test func `undeclared windows-1255 is found out`() async throws {
        let inbox = try Inbox()
        let hebrew: [UInt8] = [0xE7, 0xEC, 0xE1]
        let start = Array("<Root><Items><Item><ItemName>".utf8), end = Array("</ItemName></Item></Items></Root>".utf8)
        try inbox.put("Price7290875100001-066-202601051222.xml", start + hebrew + end)
        #expect(try await run(inbox.config()).map(\.value) == [#"{"itemname":"חלב"}"#])

        let broken = try Inbox()
        try broken.put("Price7290875100001-066-202601051222.xml", start + hebrew + [0xD9] + end)
        let context = FakeContext()
        #expect(try await run(broken.config(["errors.directory": broken.errors]), context: context).isEmpty)
        #expect(context.sum("connect_source_files_failed_total", "encoding") == 1)
    }

    @Test func `many fields, deep objects and long texts`() async throws {
        let fields = (0..<300).map { "<f\($0)>\($0)</f\($0)>" }.joined()
        let deep = String(repeating: "<d>", count: 100) + "x" + String(repeating: "</d>", count: 100)
        let long = String(repeating: "א\"", count: 100_000)
        let document = "<Root><Items><Item>\(fields)\(deep)<long>\(long)</long></Item></Items></Root>"
        let values = try await rows(document)
        #expect(values.count == 1)
        let expectedFields = (0..<300).map { "\"f\($0)\":\"\($0)\"" }.joined(separator: ",")
        let expectedDeep =
            "\"d\":" + String(repeating: "{\"d\":", count: 99) + "\"x\"" + String(repeating: "}", count: 99)
        let expectedLong = "\"long\":\"" + String(repeating: "א\\\"", count: 100_000) + "\""
        let isExpected = values.first == "{\(expectedFields),\(expectedDeep),\(expectedLong)}"
        #expect(isExpected)
    }
}
