//! The XML-RPC codec: tables, limits, round trips, and Python's own library as the judge.

use std::io::Write;
use std::process::{Command, Stdio};

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use supervisor_kit::xmlrpc::{
    Call, DEPTH_MAX, Fault, REQUEST_BYTES_MAX, REQUEST_ELEMENTS_MAX, ReadError, Value, code, read_call, read_response,
    write_call, write_fault, write_response,
};

fn text(text: &str) -> Value {
    Value::from(text)
}

/// A call of `m` with one `<value>`.
fn call_with(value: &str) -> Vec<u8> {
    format!("<methodCall><methodName>m</methodName><params><param>{value}</param></params></methodCall>").into_bytes()
}

#[test]
fn values_decode_leniently() {
    let cases = [
        ("<value><int>5</int></value>", Value::Int(5)),
        ("<value><i4> -7 </i4></value>", Value::Int(-7)),
        ("<value><boolean>1</boolean></value>", Value::Bool(true)),
        ("<value><boolean>true</boolean></value>", Value::Bool(false)),
        ("<value><double>1.5</double></value>", Value::Double(1.5)),
        ("<value><string>a&amp;b&#65;&lt;</string></value>", text("a&bA<")),
        ("<value><string><![CDATA[<x>&]]></string></value>", text("<x>&")),
        ("<value><string/></value>", text("")),
        ("<value> bare </value>", text(" bare ")),
        ("<value/>", text("")),
        ("<value><i8>9</i8></value>", text("9")),
        ("<value><nil/></value>", Value::Nil),
        ("<value><base64>5Lit\n5paH</base64></value>", text("中文")),
        (
            "<value><dateTime.iso8601>20260102T03:04:05</dateTime.iso8601></value>",
            Value::DateTime("20260102T03:04:05".into()),
        ),
        ("<value><array><data></data></array></value>", Value::Array(vec![])),
        (
            "<value>\n<array> <data>\n<value><int>1</int></value><!-- so --><value>x</value></data></array></value>",
            Value::Array(vec![Value::Int(1), text("x")]),
        ),
        (
            "<value><struct><member><name>k</name><value>v</value></member><member><name/><value/></member></struct></value>",
            Value::Struct(vec![("k".into(), text("v")), ("".into(), text(""))]),
        ),
    ];
    for (input, expected) in cases {
        let call = read_call(&call_with(input)).unwrap_or_else(|error| panic!("{input}: {error}"));
        assert_eq!(call, Call { method: "m".into(), params: vec![expected] }, "{input}");
    }
}

#[test]
fn a_call_may_leave_out_its_params() {
    for input in [
        "<methodCall><methodName>a.b</methodName></methodCall>",
        "\u{feff}<?xml version='1.0' encoding='x'?>\n<c><methodName>\na.b </methodName><params/></c>\n",
    ] {
        assert_eq!(read_call(input.as_bytes()), Ok(Call { method: "a.b".into(), params: vec![] }), "{input}");
    }
}

#[test]
fn a_call_needs_a_method_name() {
    for input in [
        "<methodCall/>",
        "<methodCall><methodName/></methodCall>",
        "<methodCall><methodName> </methodName></methodCall>",
    ] {
        assert_eq!(read_call(input.as_bytes()), Err(ReadError::NoMethodName), "{input}");
    }
}

#[test]
fn nonsense_is_unmarshallable() {
    let mut cases: Vec<Vec<u8>> = [
        "",
        "hello",
        "<a>",
        "</a>",
        "<a></b>",
        "<a/><b/>",
        "<a/>tail",
        "<a>&unknown;</a>",
        "<a>&#0;</a>",
        "<a><b></a></b>",
        "<!DOCTYPE a [<!ENTITY e 'x'>]><a>&e;</a>",
        "<a x='1>",
        "<a>& </a>",
    ]
    .iter()
    .map(|input| input.as_bytes().to_vec())
    .collect();
    for value in [
        "<value><int>x</int></value>",
        "<value><int/></value>",
        "<value><double>one</double></value>",
        "<value><array/></value>",
        "<value><base64>!</base64></value>",
        "<value><base64>/w==</base64></value>",
        "<value><struct><member><name>k</name></member></struct></value>",
        "<value><struct><member><int>1</int><value/></member></struct></value>",
        "<value><string>\u{feff}</strin></value>",
    ] {
        cases.push(call_with(value));
    }
    cases.push(b"<methodCall><methodName>\xff</methodName></methodCall>".to_vec());
    for case in cases {
        let shown = String::from_utf8_lossy(&case).into_owned();
        assert!(matches!(read_call(&case), Err(ReadError::Unmarshallable(_))), "{shown}: {:?}", read_call(&case));
    }
}

#[test]
fn limits_hold() {
    let nested = |levels: usize| call_with(&format!("{}{}", "<value>".repeat(levels), "</value>".repeat(levels)));
    // The envelope takes three of the levels.
    assert!(read_call(&nested(DEPTH_MAX - 3)).is_ok());
    assert!(read_call(&nested(DEPTH_MAX - 2)).is_err());
    let wide = |count: usize| {
        format!("<c><methodName>m</methodName><params>{}</params></c>", "<p/>".repeat(count)).into_bytes()
    };
    assert_eq!(read_call(&wide(REQUEST_ELEMENTS_MAX - 3)).map(|call| call.params.len()), Ok(REQUEST_ELEMENTS_MAX - 3));
    assert!(read_call(&wide(REQUEST_ELEMENTS_MAX - 2)).is_err());
    let long = call_with(&format!("<value>{}</value>", "x".repeat(REQUEST_BYTES_MAX)));
    assert!(read_call(&long).is_err());
}

/// The same document, but no member of a struct has the form that is read at once.
fn tag_by_tag(document: &str) -> String {
    document.replace("<member>\n<name>", "<member><name>")
}

#[test]
fn limits_hold_for_plain_members() {
    let member = "<member>\n<name>k</name>\n<value><int>1</int></value>\n</member>\n";
    let read = |document: &str| read_response(document.as_bytes()).is_ok();
    // The root, <params>, <param>, its value, the struct and three of a member are below each other.
    for (levels, is_within) in [(DEPTH_MAX - 8, true), (DEPTH_MAX - 7, false)] {
        let (open, close) = ("<value>".repeat(levels), "</value>".repeat(levels));
        let document =
            format!("<r><params><param>{open}<value><struct>{member}</struct></value>{close}</param></params></r>");
        assert_eq!([read(&document), read(&tag_by_tag(&document))], [is_within; 2], "{levels}");
    }
    for (members, is_within) in [(REQUEST_ELEMENTS_MAX / 4 - 2, true), (REQUEST_ELEMENTS_MAX / 4 - 1, false)] {
        let value = format!("<value><struct>{}</struct></value>", member.repeat(members));
        let document = format!("<c><methodName>m</methodName><params><param>{value}</param></params></c>");
        let is_read = |document: &str| read_call(document.as_bytes()).is_ok();
        assert_eq!([is_read(&document), is_read(&tag_by_tag(&document))], [is_within; 2], "{members}");
    }
}

#[test]
fn plain_looking_members_that_are_none() {
    for (inside, value) in [
        ("<int> 7\n</int>", Ok(Value::Int(7))),
        ("<int>seven</int>", Err(())),
        ("<int></int>", Err(())),
        ("<string>a&amp;b</string>", Ok(text("a&b"))),
        ("<string>a\r\nb</string>", Ok(text("a\nb"))),
        ("<string>&nbsp;</string>", Err(())),
        ("<string>a<b/></string>", Ok(text("a"))),
        ("<string>a</int>", Err(())),
        ("<i4>7</i4>", Ok(Value::Int(7))),
    ] {
        let member = format!("<member>\n<name>k</name>\n<value>{inside}</value>\n</member>\n");
        let document = format!("<r><params><param><value><struct>\n{member}</struct></value></param></params></r>");
        let expected = value.map(|value| Ok(Value::Struct(vec![("k".into(), value)])));
        assert_eq!(read_response(document.as_bytes()).map_err(drop), expected, "{inside}");
    }
    for unfinished in
        ["<member>\n<name>k</name>\n<value><int>7</int></value>\n", "<member>\n<name>k</name>\n<value><int>7</int>"]
    {
        let document = format!("<r><params><param><value><struct>\n{unfinished}</struct></value></param></params></r>");
        assert!(read_response(document.as_bytes()).is_err(), "{unfinished}");
    }
}

#[test]
fn responses_have_the_expected_bytes() {
    let body = |value: &Value| String::from_utf8(write_response(value)).unwrap();
    assert_eq!(
        body(&text("a<b>&\u{1b}[1m\u{fffe}\t\n中😀")),
        "<?xml version='1.0'?>\n<methodResponse>\n<params>\n<param>\n<value><string>a&lt;b&gt;&amp;\u{fffd}[1m\u{fffd}\t\n中😀</string></value>\n</param>\n</params>\n</methodResponse>\n"
    );
    assert!(body(&Value::Int(i64::MAX)).contains("<int>2147483647</int>"));
    assert!(body(&Value::Int(i64::MIN)).contains("<int>-2147483648</int>"));
}

#[test]
fn faults_round_trip() {
    let fault = Fault::with(code::BAD_NAME, "no <such> thing");
    assert_eq!(read_response(&write_fault(&fault)), Ok(Err(fault)));
    assert!(read_response(b"<methodResponse><fault><value>x</value></fault></methodResponse>").is_err());
    assert!(read_response(b"<methodResponse><params/></methodResponse>").is_err());
}

/// Values that survive a trip unchanged: 32-bit numbers, text without carriage returns or control characters.
fn any_value() -> impl Strategy<Value = Value> {
    let letters = prop::string::string_regex("[ -~\\n\\t中é😀&<>'\"]{0,12}").unwrap().boxed();
    let leaf = prop_oneof![
        any::<i32>().prop_map(|number| Value::Int(i64::from(number))),
        any::<bool>().prop_map(Value::Bool),
        letters.clone().prop_map(Value::Str),
        (-1.0e6..1.0e6f64).prop_map(Value::Double),
    ];
    leaf.prop_recursive(4, 40, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::Array),
            prop::collection::btree_map(letters.clone(), inner, 0..6).prop_map(|map| Value::Struct(
                map.into_iter().map(|(key, value): (String, Value)| (key.into(), value)).collect()
            )),
        ]
    })
}

proptest! {
    #[test]
    fn any_value_round_trips(value in any_value(), method in "[a-z.]{1,20}") {
        prop_assert_eq!(read_response(&write_response(&value)), Ok(Ok(value.clone())));
        let call = read_call(&write_call(&method, std::slice::from_ref(&value)));
        prop_assert_eq!(call, Ok(Call { method, params: vec![value] }));
    }

    #[test]
    fn plain_members_read_as_if_tag_by_tag(value in any_value(), cut in any::<prop::sample::Index>()) {
        let mut document = String::from_utf8(write_call("m", &[value])).unwrap();
        let mut at = cut.index(document.len() * 2).min(document.len());
        while !document.is_char_boundary(at) {
            at -= 1;
        }
        document.truncate(at);
        prop_assert_eq!(read_call(document.as_bytes()), read_call(tag_by_tag(&document).as_bytes()));
    }

    #[test]
    fn any_bytes_are_answered(bytes in prop::collection::vec(any::<u8>(), 0..200), cut in 0..400usize) {
        let _ = read_call(&bytes);
        let mut document = call_with("<value><struct><member><name>k</name><value><int>1</int></value></member></struct></value>");
        document.truncate(cut);
        let _ = read_call(&document);
    }
}

/// Python's library reads each document that we wrote and writes it again: the bytes must be the same.
#[test]
fn python_writes_the_same_bytes() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut documents = vec![write_response(&Value::Double(1.0)), write_fault(&Fault::new(code::NOT_RUNNING))];
    for _ in 0..400 {
        let value = any_value().new_tree(&mut runner).unwrap().current();
        documents.push(write_call("supervisor.x", std::slice::from_ref(&value)));
        documents.push(write_response(&value));
    }
    let script = r#"
import sys, xmlrpc.client as x
for line in sys.stdin:
    body = bytes.fromhex(line)
    try:
        params, method = x.loads(body)
        again = x.dumps(params, method, methodresponse=method is None or None)
    except x.Fault as fault:
        again = x.dumps(fault)
    print(again.encode().hex())
"#;
    let lines: String = documents.iter().map(|document| hex(document) + "\n").collect();
    let mut python =
        Command::new("python3").args(["-c", script]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut stdin = python.stdin.take().unwrap();
    let writer = std::thread::spawn(move || stdin.write_all(lines.as_bytes()));
    let output = python.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    assert!(output.status.success());
    let echoed = String::from_utf8(output.stdout).unwrap();
    let answers: Vec<&str> = echoed.lines().collect();
    assert_eq!(answers.len(), documents.len());
    for (document, answer) in documents.iter().zip(answers) {
        assert_eq!(hex(document), answer, "{}", String::from_utf8_lossy(document));
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
