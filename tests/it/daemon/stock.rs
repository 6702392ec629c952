//! The transport of stock Supervisor's Python client drives the daemon.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::fixture::Daemon;

fn python() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = std::env::var_os("SUPERVISOR_STOCK").map_or_else(|| here.join("target/stock"), PathBuf::from);
    let python = root.join("bin/python");
    assert!(python.exists(), "{} is missing: run scripts/setup, or set SUPERVISOR_STOCK", python.display());
    python
}

const SCRIPT: &str = "
import sys, xmlrpc.client
from supervisor.xmlrpc import SupervisorTransport
transport = SupervisorTransport('user', '123', 'unix://' + sys.argv[1])
proxy = xmlrpc.client.ServerProxy('http://127.0.0.1', transport=transport)
s = proxy.supervisor
assert s.getAPIVersion() == '3.0'
assert s.getState() == {'statecode': 1, 'statename': 'RUNNING'}
assert s.startProcess('cat') is True
info = s.getProcessInfo('cat')
assert info['statename'] == 'RUNNING' and info['group'] == 'cat', info
assert s.sendProcessStdin('cat', '\\u4f60\\u597d <&> \\n') is True
for _ in range(600):
    text = s.readProcessStdoutLog('cat', 0, 0)
    if text:
        break
    import time; time.sleep(0.1)
assert text == '\\u4f60\\u597d <&> \\n', text
assert s.tailProcessStdoutLog('cat', 0, 100)[1:] == [12, False]
try:
    s.startProcess('cat')
    assert False
except xmlrpc.client.Fault as fault:
    assert (fault.faultCode, fault.faultString) == (60, 'ALREADY_STARTED: cat'), fault
assert s.stopAllProcesses()[0]['description'] == 'OK'
assert proxy.system.multicall([{'methodName': 'supervisor.getPID', 'params': []}]) == [s.getPID()]
wrong = SupervisorTransport('user', 'no', 'unix://' + sys.argv[1])
try:
    xmlrpc.client.ServerProxy('http://127.0.0.1', transport=wrong).supervisor.getPID()
    assert False
except xmlrpc.client.ProtocolError as error:
    assert error.errcode == 401, error
print('done')
";

#[test]
fn its_transport_works() {
    let site = super::fixture::Site::new(
        "[unix_http_server]\nusername=user\npassword=123\n[program:cat]\ncommand=cat\nautostart=false\nstartsecs=0\n",
    );
    let daemon = Daemon::start_in(site);
    let output = Command::new(python()).arg("-c").arg(SCRIPT).arg(daemon.socket()).output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(String::from_utf8_lossy(&output.stdout), "done\n", "{stderr}");
}
