import Testing

@testable import SupermarketSource

@Suite struct PriceFileNameTests {
    @Test(arguments: [
        ("PriceFull7290172900007-083-202409270311.xml", "pricefull", "7290172900007", "083", "202409270311"),
        ("Price7290725900003-9032-202410021600", "price", "7290725900003", "9032", "202410021600"),
        ("PromoFull7290058249350-000-038-20260217-000027", "promofull", "7290058249350", "038", "20260217000027"),
        ("Stores7290027600007-000-202410020201", "stores", "7290027600007", "000", "202410020201"),
        ("Stores7290172900007-000-20260824-070016.gz", "stores", "7290172900007", "000", "20260824070016"),
        ("Stores7290027600007-000-20260824-021.gz", "stores", "7290027600007", "000", "20260824000021"),
        ("StoresFull7290875100001-000-202502250510", "stores", "7290875100001", "000", "202502250510"),
        ("PromoFull7290058140886-001-202602170010.GZ", "promofull", "7290058140886", "001", "202602170010"),
        ("Promo7290875100001-066-202601051222.aspx.xml", "promo", "7290875100001", "066", "202601051222"),
        ("price7290058140886-039-202503270156.xml", "price", "7290058140886", "039", "202503270156"),
        ("NULLPromo7290700100008-001-202411021400.xml", "promo", "7290700100008", "001", "202411021400"),
        ("NULLPriceFull72906390-001-20241102.xml", "pricefull", "72906390", "001", "20241102"),
    ])
    func `published names`(name: String, type: String, chain: String, store: String, time: String) {
        let parsed = PriceFileName(name)
        #expect(parsed.type?.rawValue == type)
        #expect(parsed.chainID == chain)
        #expect(parsed.store == store)
        #expect(parsed.timestamp == time)
        #expect(parsed.isPublished)
    }

    @Test(
        arguments: [
            ("goodpharm_pricefull.xml", "pricefull"), ("shufersal_stores.xml", "stores"), ("promo.xml.gz", "promo"),
            ("item.xml", nil), ("README.md", nil), ("", nil), ("-", nil),
        ] as [(String, String?)]
    )
    func `other names tell a type at most`(name: String, type: String?) {
        let parsed = PriceFileName(name)
        #expect(parsed.type?.rawValue == type)
        #expect(parsed.chainID == nil)
        #expect(!parsed.isPublished)
    }

    @Test func `a chain of zeros is none`() {
        #expect(PriceFileName("Price0000000000000-001-202401010000.xml").chainID == nil)
    }

    @Test func `names sort by time`() {
        let names = ["Price7290172900007-083-20240928", "Price7290172900007-083-202409270311", "Price7290172900007-x"]
        #expect(names.map { PriceFileName($0).order } == ["20240928000000", "20240927031100", "99999999999999"])
    }

    @Test func `chains by folder and id`() {
        #expect(Chains.named(byFolder: "SuperPharm") == "super_pharm")
        #expect(Chains.named(byFolder: "super_pharm") == "super_pharm")
        #expect(Chains.named(byFolder: "VictoryNewSource") == "victory_new_source")
        #expect(Chains.named(byFolder: "dumps") == nil)
        #expect(Chains.named(byID: "7290696200003") == "victory")
        #expect(Chains.named(byID: "729049000005") == "dor_alon")
        #expect(Chains.named(byID: "1") == nil)
    }

    @Test func `templates`() {
        let fixed = KeyTemplate.Fixed(type: .pricefull, chain: "bareket", file: "f.xml", store: "7")
        #expect(KeyTemplate("{type}-{chain}")?.text(fixed) == "pricefull-bareket")
        #expect(
            KeyTemplate("supermarket_data_{filetype}_{chain}")?.text(fixed)
                == "supermarket_data_price_full_file_bareket"
        )
        #expect(KeyTemplate("{chain}-{store}-{itemcode}")?.fields == ["storeid", "itemcode"])
        #expect(KeyTemplate("{chain}-{store}")?.text(fixed) == nil)
        for bad in ["{", "{}", "a}", "{a{b}"] { #expect(KeyTemplate(bad) == nil || bad == "{a{b}") }
    }
}
