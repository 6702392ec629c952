//! What an operator's curl gets to see: one connected transcript of headers and bodies, stock and ours.

use crate::differences::{Declared, Exchange, judge};
use crate::stage::{connect, daemon, on_both, shared_machine};
use crate::world::{Who, World};

const CONFIG: &str = "{head}\n[supervisord]\nidentifier=curl\n\
    [inet_http_server]\nport=127.0.0.1:{port}\nusername=user\npassword={SHA}40bd001563085fc35165329ea1ff5c5ecbdbbeef\n\
    [program:cat]\ncommand=/bin/cat\nstartsecs=0\nstdout_logfile={dir}/cat.out\nstderr_logfile=NONE\n\
    [program:big]\ncommand=/bin/cat\nstartsecs=0\nautostart=false\nstdout_logfile={dir}/big.out\n";

/// Words after `curl -sS -i`; `@` is the address with credentials, `#` the one of the unix server.
const REQUESTS: [&str; 39] = [
    "@/ok.html",
    "#/ok.html",
    "http://127.0.0.1:{port}/ok.html",
    "-u user:wrong http://127.0.0.1:{port}/ok.html",
    "-u user:wrong http://127.0.0.1:{port}/RPC2 -d '{ping}'",
    "-u '用户:密码' http://127.0.0.1:{port}/",
    "-H 'authorization: bAsIc dXNlcjoxMjM=' http://127.0.0.1:{port}/ok.html",
    BAD_BASE64,
    NO_COLON,
    "-H 'Authorization: Digest x' http://127.0.0.1:{port}/ok.html",
    "@/RPC2 -d '{ping}'",
    "#/RPC2 -d '{ping}'",
    "@/RPC2 -H 'Content-Type: text/xml' -d '{ping}'",
    "@/RPC2/ -d '{ping}'",
    "@/RPC2foo -d '{ping}'",
    "@/RPC2 -d '{fault}'",
    "@/RPC2 -d '{unknown}'",
    "@/RPC2 -d '<methodCall><methodName></methodName></methodCall>'",
    "@/RPC2 -d 'no xml'",
    "@/RPC2",
    "@/RPC2 -X PUT -d '{ping}'",
    "@/RPC2 -X DELETE",
    "-0 @/ok.html",
    "-0 @/ok.html -H 'Connection: keep-alive'",
    "-0 @/RPC2 -d '{ping}'",
    "@/ok.html -H 'Connection: close'",
    UNANSWERED,
    "-I @/ok.html",
    "-I @/nope",
    "-X OPTIONS @/",
    "-X DELETE @/nope",
    "@/nope",
    "@/logtail/nope",
    "@/logtail/cat/nope",
    "@/logtail/cat/stderr",
    "@/logtail/big",
    "-X POST -d '' @/logtail/cat",
    "-X POST -d '' @/mainlogtail",
    "@/ok.html @/nope @/ok.html -w 'connections %{num_connects}\\n'",
];

/// Where ours answers otherwise on purpose.
const DECLARED: &[Declared] = &[
    Declared { asked: BAD_BASE64, stock: BROKEN, ours: REFUSED, reason: "nobody gets in with that: 401 (7.3.3)" },
    Declared { asked: NO_COLON, stock: BROKEN, ours: REFUSED, reason: "nobody gets in with that: 401 (7.3.3)" },
    Declared {
        asked: "-0 @/ok.html -H 'Connection: keep-alive'",
        stock: "connection: Keep-Alive",
        ours: "connection: keep-alive",
        reason: "the word is the same in any letters (7.2.1)",
    },
    Declared {
        asked: "@/ok.html -H 'Connection: close'",
        stock: "OK | content-length",
        ours: "OK | connection: close | content-length",
        reason: "the client learns that it was heard (7.2.1)",
    },
    Declared {
        asked: UNANSWERED,
        stock: " [28]",
        ours: "HTTP/1.1 200 OK | content-length: 2 | content-type: text/plain | date: <date> | server: Medusa/1.12 |  | OK [0]",
        reason: "stock waits for a body of no bytes for ever (7.2.6)",
    },
    Declared {
        asked: "-I @/ok.html",
        stock: "HTTP/1.1 404 Not Found | content-length: 134 | content-type: text/html |",
        ours: "HTTP/1.1 200 OK | content-length: 2 | content-type: text/plain |",
        reason: "load balancers ask with HEAD (7.2.7)",
    },
];

/// Stock never answers it: curl gives up.
const UNANSWERED: &str = "@/ok.html -X POST -d '' -m 5 2>/dev/null";
const BAD_BASE64: &str = "-H 'Authorization: Basic %%%' http://127.0.0.1:{port}/ok.html";
const NO_COLON: &str = "-H 'Authorization: Basic dXNlcg==' http://127.0.0.1:{port}/ok.html";

const BROKEN: &str = "HTTP/1.1 500 Internal Server Error | content-length: 146 | content-type: text/html | date: <date> | \
    server: Medusa/1.12 |  | <head> | <title>Error response</title> | </head> | <body> | <h1>Error response</h1> | \
    <p>Error code 500. | <p>Message: Internal Server Error. | </body> [0]";
const REFUSED: &str = "HTTP/1.1 401 Unauthorized | connection: close | content-length: 137 | content-type: text/html | date: <date> | \
    server: Medusa/1.12 | www-authenticate: Basic realm=\"default\" |  | <head> | <title>Error response</title> | </head> | <body> | \
    <h1>Error response</h1> | <p>Error code 401. | <p>Message: Unauthorized. | </body> [0]";

#[test]
fn curl_sees_the_same() {
    let _turn = shared_machine();
    let [stock, ours] = on_both(transcript);
    judge(&stock, &ours, DECLARED);
}

fn transcript(who: Who) -> Vec<Exchange> {
    let world = daemon(who, CONFIG);
    let say = |text: &str| connect(&world).call("supervisor.sendProcessStdin", &["cat".into(), text.into()]).unwrap();
    say(&format!("{}\nthe last line 中文\n", "x".repeat(2000)));
    let mut world = world;
    world.wait_for("the log", |world| world.read("cat.out").ends_with("中文\n"));
    let mut said: Vec<Exchange> =
        REQUESTS.iter().map(|words| Exchange { asked: (*words).to_owned(), answer: curl(&world, words) }).collect();
    for words in ["@/logtail/cat", "@/logtail/cat/stdout", "#/logtail/cat", "@/logtail/c%61t"] {
        // It has no end: what is there already comes at once, and then curl is ended.
        let until = format!(
            "{words} --no-buffer -o {{dir}}/tail & curl=$!; \
            for try in $(seq 600); do grep -qs 中文 {{dir}}/tail && break; sleep 0.1; done; kill $curl; cat {{dir}}/tail; rm {{dir}}/tail; true"
        );
        said.push(Exchange { asked: words.to_owned(), answer: curl(&world, &until) });
    }
    said
}

fn call(method: &str, params: &str) -> String {
    format!("<?xml version=\"1.0\"?><methodCall><methodName>{method}</methodName>{params}</methodCall>")
}

/// What curl prints, comparable.
fn curl(world: &World, words: &str) -> String {
    let words = words
        .replace('@', "http://user:123@127.0.0.1:{port}")
        .replace("#/", "--unix-socket {dir}/s.sock http://localhost/")
        .replace("{ping}", &call("supervisor.getAPIVersion", ""))
        .replace("{unknown}", &call("nope", "<params></params>"))
        .replace("{fault}", &call("supervisor.startProcess", "<params><param><value>nope</value></param></params>"));
    let output = world.output(world.shell(&format!("curl -sS -i --max-time 20 {words}")));
    let text = [output.stdout, output.stderr].concat();
    let lines = String::from_utf8_lossy(&text).replace("\r\n", "\n");
    format!("{} [{}]", comparable(&lines), output.status.code().unwrap_or(-1))
}

/// The names of headers in small letters, their order that of the alphabet; no dates.
fn comparable(text: &str) -> String {
    let (mut lines, mut headers) = (Vec::new(), Vec::new());
    let mut is_head = false;
    for line in text.lines() {
        is_head |= line.contains("HTTP/1.");
        match line.split_once(": ") {
            Some((name, value)) if is_head => {
                let name = name.to_ascii_lowercase();
                let value = if matches!(name.as_str(), "date" | "last-modified") { "<date>" } else { value };
                headers.push(format!("{name}: {value}"));
                continue;
            }
            _ if line.is_empty() => is_head = false,
            _ => {}
        }
        headers.sort();
        lines.append(&mut headers);
        lines.push(line.replace(&"x".repeat(100), "<100 x>"));
    }
    lines.append(&mut headers);
    lines.join(" | ")
}
