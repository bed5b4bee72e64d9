//! The whole path: CPU time a request costs the gateway's process, full policy on, as a ratio to a bare Pingora proxy
//! built alike, in turn in one run.
//!
//! Needs `wrk` (Debian) for the load. The upstream is a thread of this program; it, wrk and the proxies share the machine,
//! which does not matter to CPU time per request. Build all with one profile:
//! `cargo build --profile shipping -p stagedoor -p stagedoor-benches && target/shipping/bench-path`.
//!
//! `bench-path instructions` counts instructions instead (see [`instructions`]; needs `valgrind`, Debian).

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

mod instructions;

type Failure = Box<dyn std::error::Error>;

const ROUNDS: usize = 5;
const WARM_SECONDS: u32 = 1;
const MEASURED_SECONDS: u32 = 4;
const CONNECTIONS: u32 = 32;
const BODY_BYTES: usize = 1024;
const PASSWORD: &str = "correct horse battery 9";
/// What the bare proxy is sent, so that both read and forward the same bytes.
const FOREIGN_COOKIE: &str = "stagedoor=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

fn main() -> Result<(), Failure> {
    let binaries = std::env::current_exe()?
        .parent()
        .map(Path::to_path_buf)
        .ok_or("no folder of binaries")?;
    let upstream = serve_upstream()?;
    let folder = tempfile::tempdir()?;
    if std::env::args().nth(1).as_deref() == Some("instructions") {
        return count_instructions(&binaries, upstream, folder.path());
    }
    let mut ratios = Vec::new();
    println!("CPU time per request, {BODY_BYTES} byte answers, {CONNECTIONS} connections, in turn:");
    for round in 1..=ROUNDS {
        let bare = measure_bare(&binaries, upstream)?;
        let door = measure_door(&binaries, upstream, &folder.path().join(round.to_string()))?;
        let ratio = door.micros_per_request() / bare.micros_per_request();
        println!("  round {round}: bare {bare}, door {door}, ratio {ratio:.3}");
        ratios.push(ratio);
    }
    ratios.sort_by(f64::total_cmp);
    println!(
        "median ratio {:.3}",
        ratios.get(ratios.len() / 2).copied().unwrap_or(f64::NAN)
    );
    Ok(())
}

fn count_instructions(binaries: &Path, upstream: SocketAddr, folder: &Path) -> Result<(), Failure> {
    let (listen, profile) = (free_address()?, folder.join("bare.profile"));
    let process = start(
        &mut instructions::counted(&bare(binaries, listen, upstream), &profile),
        listen,
    )?;
    let bare = instructions::count(&process, listen, FOREIGN_COOKIE, &profile)?;
    drop(process);
    let (listen, profile) = (free_address()?, folder.join("door.profile"));
    let process = start(
        &mut instructions::counted(&door(binaries, listen, upstream, folder)?, &profile),
        listen,
    )?;
    let door = instructions::count(&process, listen, &sign_in(listen)?, &profile)?;
    println!(
        "instructions per request: bare {bare}, door {door}, ratio {:.3}",
        door as f64 / bare as f64
    );
    Ok(())
}

/// What a load came to.
struct Load {
    requests: u64,
    cpu: Duration,
}

impl Load {
    fn micros_per_request(&self) -> f64 {
        self.cpu.as_secs_f64() * 1e6 / self.requests.max(1) as f64
    }
}

impl std::fmt::Display for Load {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:.2} us ({} requests)", self.micros_per_request(), self.requests)
    }
}

/// A child that is ended with its owner.
pub(crate) struct Process(pub(crate) Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _gone = self.0.kill().and_then(|()| self.0.wait());
    }
}

fn measure_bare(binaries: &Path, upstream: SocketAddr) -> Result<Load, Failure> {
    let listen = free_address()?;
    let process = start(&mut bare(binaries, listen, upstream), listen)?;
    load(process.0.id(), listen, FOREIGN_COOKIE)
}

fn bare(binaries: &Path, listen: SocketAddr, upstream: SocketAddr) -> Command {
    let mut command = Command::new(binaries.join("bare-proxy"));
    command.args([listen.to_string(), upstream.to_string(), "1".to_owned()]);
    command
}

fn measure_door(binaries: &Path, upstream: SocketAddr, folder: &Path) -> Result<Load, Failure> {
    let listen = free_address()?;
    let process = start(&mut door(binaries, listen, upstream, folder)?, listen)?;
    let cookie = sign_in(listen)?;
    load(process.0.id(), listen, &cookie)
}

fn door(binaries: &Path, listen: SocketAddr, upstream: SocketAddr, folder: &Path) -> Result<Command, Failure> {
    let admin = free_address()?;
    std::fs::create_dir_all(folder)?;
    std::fs::write(folder.join("stagedoor.toml"), building(listen, admin, upstream, folder))?;
    std::fs::write(folder.join("policy.toml"), policy())?;
    let mut command = Command::new(binaries.join("stagedoor"));
    command
        .args(["serve", "--admin", "bench", "--config"])
        .arg(folder.join("stagedoor.toml"));
    command.env("STAGEDOOR_ADMIN_PASSWORD", PASSWORD);
    Ok(command)
}

fn building(listen: SocketAddr, admin: SocketAddr, upstream: SocketAddr, folder: &Path) -> String {
    format!(
        "[listen]\nhttp = [\"{listen}\"]\n[admin]\nlisten = \"{admin}\"\n[store]\ndata_dir = \"{data}\"\n\
         [limits]\nthreads = 1\n[log]\naccess = \"{access}\"\nlevel = \"warn\"\n\
         [site.console]\nupstream = \"http://{upstream}\"\nassertion = true\n",
        data = folder.join("data").display(),
        access = folder.join("access.log").display(),
    )
}

/// 1,000 areas, and 10,000 prefixes on the site beside loopback.
fn policy() -> String {
    let networks: Vec<String> = (0..10_000_u32)
        .map(|n| format!("\"10.{}.{}.0/25\"", n / 256, n % 256))
        .collect();
    let areas: String = (0..1_000)
        .map(|n| format!("area-{n} = {{ paths = [\"/area-{n}/**\"] }}\n"))
        .collect();
    format!(
        "[networks]\noffice = [\"127.0.0.0/8\", {}]\n[site.console]\nnetworks = [\"office\"]\n\
         [site.console.areas]\nrest = {{ paths = [\"/**\"] }}\n{areas}\
         [role.administrator]\nmay = {{ \"*\" = \"all\" }}\nnetworks = [\"office\"]\n",
        networks.join(", ")
    )
}

fn start(command: &mut Command, listen: SocketAddr) -> Result<Process, Failure> {
    let process = Process(
        command
            .stdout(Stdio::null())
            .spawn()
            .map_err(|error| format!("{command:?}: {error}"))?,
    );
    let patience = Instant::now() + Duration::from_secs(60);
    while TcpStream::connect(listen).is_err() {
        if Instant::now() > patience {
            return Err(format!("{command:?} does not listen on {listen}").into());
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(process)
}

fn sign_in(listen: SocketAddr) -> Result<String, Failure> {
    let body = serde_json::json!({ "username": "bench", "password": PASSWORD }).to_string();
    let mut stream = TcpStream::connect(listen)?;
    write!(
        stream,
        "POST /.stagedoor/login HTTP/1.1\r\nHost: {listen}\r\nContent-Type: application/json\r\nAccept: application/json\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let cookie = answer
        .lines()
        .find(|line| line.to_ascii_lowercase().starts_with("set-cookie: stagedoor="));
    let cookie = cookie.and_then(|line| line.split_once(": ")?.1.split(';').next());
    cookie
        .map(str::to_owned)
        .ok_or_else(|| format!("no session cookie in: {answer}").into())
}

fn load(process: u32, listen: SocketAddr, cookie: &str) -> Result<Load, Failure> {
    run_wrk(listen, cookie, WARM_SECONDS)?;
    let before = cpu_time(process)?;
    let requests = run_wrk(listen, cookie, MEASURED_SECONDS)?;
    Ok(Load {
        requests,
        cpu: cpu_time(process)?.saturating_sub(before),
    })
}

fn run_wrk(listen: SocketAddr, cookie: &str, seconds: u32) -> Result<u64, Failure> {
    let mut wrk = Command::new("wrk");
    wrk.args(["-t1", &format!("-c{CONNECTIONS}"), &format!("-d{seconds}s")]);
    wrk.args(["-H", &format!("Cookie: {cookie}")]);
    wrk.arg(format!("http://{listen}/area-7/item/1"));
    let output = wrk
        .output()
        .map_err(|error| format!("`wrk` cannot be run (apt-get install wrk): {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    if text.contains("Non-2xx") {
        return Err(format!("not every request was answered with 200:\n{text}").into());
    }
    let requests = text
        .lines()
        .find_map(|line| line.trim().split_once(" requests in ")?.0.parse().ok());
    requests.ok_or_else(|| format!("wrk said:\n{text}").into())
}

/// User and system time of a process (proc(5), fields 14 and 15, in ticks of 10 ms).
fn cpu_time(process: u32) -> Result<Duration, Failure> {
    let stat = std::fs::read_to_string(PathBuf::from(format!("/proc/{process}/stat")))?;
    let after_name = stat.rsplit_once(") ").ok_or("unreadable stat")?.1;
    let ticks: u64 = after_name
        .split(' ')
        .skip(11)
        .take(2)
        .filter_map(|field| field.parse::<u64>().ok())
        .sum();
    Ok(Duration::from_millis(ticks * 10))
}

fn free_address() -> Result<SocketAddr, Failure> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}

/// Answers every request with the same bytes.
fn serve_upstream() -> Result<SocketAddr, Failure> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let answer = format!(
        "HTTP/1.1 200 OK\r\nContent-Length: {BODY_BYTES}\r\n\r\n{}",
        "x".repeat(BODY_BYTES)
    );
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let answer = answer.clone();
            std::thread::spawn(move || answer_all(stream, answer.as_bytes()));
        }
    });
    Ok(address)
}

fn answer_all(mut stream: TcpStream, answer: &[u8]) {
    let _nodelay = stream.set_nodelay(true);
    let (mut buffer, mut pending) = ([0_u8; 16 * 1024], Vec::new());
    while let Ok(read @ 1..) = stream.read(&mut buffer) {
        pending.extend_from_slice(buffer.get(..read).unwrap_or_default());
        if pending.ends_with(b"\r\n\r\n") {
            pending.clear();
            if stream.write_all(answer).is_err() {
                return;
            }
        }
    }
}
