import Records
import Testing

@Suite struct RecordPictureTests {
    @Test(arguments: [
        (#"{"image":"a.png"}"#, "a.png"), (#"{"images":["a.png"]}"#, "a.png"),
        (#"{"images":"a.png"}"#, "a.png"),
        (#"{"image":"a.png","images":["a.png"]}"#, "a.png"), (#"{"image":null,"images":["a.png"]}"#, "a.png"),
        // What stands beside a picture that is named is the record's own business.
        (#"{"image":"a.png","image_path":"full/a.png","images":null}"#, "a.png"),
    ])
    func oneIsRead(record: String, path: String) throws {
        #expect(try Record(parsing: record).picture() == path)
    }

    @Test(arguments: [
        #"{}"#, #"{"image":null,"images":null,"img":null}"#, #"{"image_id":7,"has_image":true}"#,
        #"{"reward_picture":"b","image_caption":"A cat."}"#,
        #"{"image_full":"a","file":"b","my_file_name":"c"}"#,
    ])
    func noneIsNone(record: String) throws { #expect(try Record(parsing: record).picture() == nil) }

    @Test(arguments: [
        (#"{"images":[]}"#, "\"images\" is an empty list"),
        (#"{"images":["a","b"]}"#, "\"images\" is 2 pictures"),
        (#"{"image":"a","images":["a","b"]}"#, "\"images\" is 2 pictures"),
        (#"{"image":"a","images":["b"]}"#, "\"images\" is \"b\", and \"image\" is \"a\""),
        (#"{"images":[{"path":"a"}]}"#, "\"images[0]\" is an object"),
        (#"{"images":{"0":"a"}}"#, "list of one path"),
        (#"{"image_path":"a"}"#, "\"image_path\" is \"a\""), (#"{"img":"a"}"#, "\"img\""),
        (#"{"imagePath":"a"}"#, "\"imagePath\""), (#"{"image-url":"a"}"#, "\"image-url\""),
        (#"{"Image":"a"}"#, "\"Image\""), (#"{"pictures":["a"]}"#, "\"pictures\""),
        (#"{"photo":"a"}"#, "\"photo\""), (#"{"image_file_name":"a"}"#, "\"image_file_name\""),
        (#"{"file_name":"a"}"#, "\"file_name\""),
        (#"{"local_imgs_full_paths":"a"}"#, "\"local_imgs_full_paths\""),
        (#"{"imagesrc":"a"}"#, "\"imagesrc\""), (#"{"rawPictureFileNames":"a"}"#, "\"rawPictureFileNames\""),
        (#"{"image":{"bytes":"x"}}"#, "must be a string"),
    ])
    func theRestIsNamed(record: String, says: String) throws {
        let error = #expect(throws: RecordError.self) { try Record(parsing: record).picture() }
        #expect(error?.description.contains(says) == true, "\(String(describing: error))")
    }

    @Test func aQuestionShowsNoMoreThanThereIs() throws {
        let record = Record()
        try record.checkMarkers(in: ["Where?", "<image>\nWho?"], key: "prompt", picture: "a.png")
        try record.checkMarkers(in: ["Who?"], key: "prompt", picture: nil)
        for (texts, picture) in [
            (["<image>Who?"], nil), (["<image><image>Who?"], "a.png"), (["<image>A?", "<image>B?"], "a.png"),
        ] {
            #expect(throws: RecordError.self) {
                try record.checkMarkers(in: texts, key: "prompt", picture: picture)
            }
        }
        for text in [#"{"id":"a","prompt":"<image>Who?"}"#, #"{"id":"a","prompt":"Who?","img":"a.png"}"#] {
            #expect(throws: RecordError.self) { try Prompt(Record(parsing: text)) }
            let pair = text.dropLast() + #","chosen":"A","rejected":"B"}"#
            #expect(throws: RecordError.self) { try PreferencePair(Record(parsing: String(pair))) }
        }
    }
}
