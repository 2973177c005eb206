//! Child processes that never outlive this one. Each runs below a small shell that holds the
//! reading end of a pipe: when this process ends, however it ends, the pipe closes and the shell
//! kills the child and all its descendants. Needs no unsafe code and works on Linux and macOS.

use std::ffi::OsStr;
use std::fs::File;
use std::io::Write;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, ExitStatus, Output, Stdio};
use std::time::{Duration, Instant};

use crate::failure::{Failure, OrFail};
use crate::progress::last_lines;

/// The shell between this process and a child. It leads a process group of its own, and each line
/// that arrives on the pipe names a signal for the child.
const GUARD: &str = r#"
exec 3<&0 </dev/null
"$@" 3<&- &
child=$!
{ while read -r signal; do kill -s "$signal" "$child"; done; kill -s KILL -- "-$$"; } <&3 >/dev/null 2>&1 &
watcher=$!
exec 3<&-
wait "$child"
status=$?
kill -s KILL "$watcher"
exit "$status"
"#;

/// How long a child may take to end after it was asked to.
const GRACE: Duration = Duration::from_secs(3);

/// A command that runs under guard; add arguments, environment and directory, then hand it to
/// [`run`], [`run_logged`], [`output`] or [`Guarded::spawn`].
#[must_use]
pub fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new("/bin/sh");
    command
        .args(["-c", GUARD, "guard"])
        .arg(program)
        .process_group(0)
        .stdin(Stdio::piped());
    command
}

/// A running child; dropping it kills it.
#[derive(Debug)]
pub struct Guarded {
    shell: Child,
    pipe: Option<ChildStdin>,
}

impl Guarded {
    /// Starts a command made by [`command`].
    ///
    /// # Errors
    /// When no process could be started at all. A program that does not exist shows as exit
    /// status 127 instead.
    pub fn spawn(command: &mut Command) -> Result<Self, Failure> {
        let mut shell = command
            .spawn()
            .or_fail(|| "cannot start `/bin/sh`".to_owned())?;
        let pipe = shell.stdin.take();
        Ok(Self { shell, pipe })
    }

    /// How the child ended, if it did.
    ///
    /// # Errors
    /// When the operating system cannot tell.
    pub fn ended(&mut self) -> Result<Option<ExitStatus>, Failure> {
        self.shell
            .try_wait()
            .or_fail(|| "cannot watch a child process".to_owned())
    }

    /// Sends the child a signal by name, such as `TERM`, `STOP` or `CONT`. A child that has ended
    /// meanwhile is fine.
    pub fn signal(&mut self, name: &str) {
        if let Some(pipe) = &mut self.pipe {
            // The only error is that the shell is gone, and the child with it.
            let _ = writeln!(pipe, "{name}");
        }
    }

    /// Ends the child like `kill -9` and waits until it is gone.
    pub fn kill(&mut self) {
        drop(self.pipe.take());
        // It can only fail when the child was waited for already.
        let _ = self.shell.wait();
    }

    /// Asks the child to end, and kills it if it has not after three seconds.
    pub fn stop(&mut self) {
        self.signal("TERM");
        let deadline = Instant::now() + GRACE;
        while Instant::now() < deadline && matches!(self.ended(), Ok(None)) {
            std::thread::sleep(Duration::from_millis(5));
        }
        self.kill();
    }

    fn wait(mut self) -> Result<ExitStatus, Failure> {
        // `Child::wait` closes the pipe before it waits, which would kill the child; ours was
        // taken out of it.
        self.shell
            .wait()
            .or_fail(|| "cannot watch a child process".to_owned())
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Runs a command to its end; its output is the user's to see.
///
/// # Errors
/// When it does not end with status 0.
pub fn run(command: &mut Command) -> Result<(), Failure> {
    let status = Guarded::spawn(command)?.wait()?;
    if status.success() {
        Ok(())
    } else {
        Err(unsuccessful(command, status))
    }
}

/// Runs a command to its end with its output in a log file, which a failure quotes.
///
/// # Errors
/// When it does not end with status 0.
pub fn run_logged(command: &mut Command, log: &Path) -> Result<(), Failure> {
    let (out, err) = log_file(log)?;
    let status = Guarded::spawn(command.stdout(out).stderr(err))?.wait()?;
    if status.success() {
        return Ok(());
    }
    let text = std::fs::read_to_string(log).unwrap_or_default();
    Err(Failure::new(format!(
        "{}\n{}",
        unsuccessful(command, status),
        last_lines(&text, 20)
    ))
    .hint(format!("the whole output is in `{}`", log.display())))
}

/// Runs a command to its end and returns what it printed.
///
/// # Errors
/// When it does not end with status 0; the message quotes its last lines.
pub fn output(command: &mut Command) -> Result<String, Failure> {
    let child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let child = child.or_fail(|| "cannot start `/bin/sh`".to_owned())?;
    wait_with_output(child, command)
}

fn wait_with_output(mut child: Child, command: &Command) -> Result<String, Failure> {
    // Held until the child has ended: closing it would kill the child.
    let pipe = child.stdin.take();
    let Output {
        status,
        stdout,
        stderr,
    } = child
        .wait_with_output()
        .or_fail(|| "cannot read from a child process".to_owned())?;
    drop(pipe);
    if status.success() {
        return Ok(String::from_utf8_lossy(&stdout).into_owned());
    }
    let text = String::from_utf8_lossy(&stderr);
    Err(Failure::new(format!(
        "{}\n{}",
        unsuccessful(command, status),
        last_lines(&text, 10)
    )))
}

/// A log file for a child's output and errors, emptied first.
///
/// # Errors
/// Names the file that could not be made.
pub fn log_file(path: &Path) -> Result<(File, File), Failure> {
    let what = || format!("cannot write `{}`", path.display());
    let file = File::create(path).or_fail(what)?;
    let copy = file.try_clone().or_fail(what)?;
    Ok((file, copy))
}

/// How a process ended, in words.
#[must_use]
pub fn describe(status: ExitStatus) -> String {
    // A shell reports a child's death by signal n as 128 + n.
    match (status.code(), status.signal()) {
        (Some(code), _) if code > 128 => format!("was ended by signal {}", code - 128),
        (Some(code), _) => format!("ended with status {code}"),
        (None, Some(signal)) => format!("was ended by signal {signal}"),
        (None, None) => "ended".to_owned(),
    }
}

fn unsuccessful(command: &Command, status: ExitStatus) -> Failure {
    // The first three arguments are the guard's own.
    let words: Vec<_> = command
        .get_args()
        .skip(3)
        .map(OsStr::to_string_lossy)
        .collect();
    let name = words
        .first()
        .map_or("", |program| program.rsplit('/').next().unwrap_or(program));
    let rest = words.get(1..).unwrap_or_default().join(" ");
    Failure::new(format!(
        "`{}` {}",
        format!("{name} {rest}").trim(),
        describe(status)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut shell = command("sh");
        shell.args(["-c", script]);
        shell
    }

    #[test]
    fn a_failed_command_is_named_with_its_status_and_what_it_said() {
        let check =
            |script: &str, expect: Result<&str, &str>| match (output(&mut shell(script)), expect) {
                (Ok(printed), Ok(expect)) => assert_eq!(printed, expect, "{script}"),
                (Err(failure), Err(expect)) => {
                    assert!(failure.to_string().contains(expect), "{script}: {failure}");
                }
                (result, _) => panic!("{script}: {result:?}"),
            };
        check("echo one; echo two >&2", Ok("one\n"));
        check("cat", Ok(""));
        check(
            "echo broken >&2; exit 3",
            Err("ended with status 3\nbroken"),
        );
        check("kill -9 $$", Err("was ended by signal 9"));
    }

    #[test]
    fn no_descendant_outlives_the_one_who_started_it() {
        // Both the child and its own child hold the writing end; it closes when both are gone.
        let (mut reader, writer) = std::io::pipe().unwrap();
        let mut command = shell("echo up; sleep 1000 & sleep 1000");
        let child = Guarded::spawn(command.stdout(writer)).unwrap();
        drop(command);
        let mut first = [0; 3];
        std::io::Read::read_exact(&mut reader, &mut first).unwrap();
        drop(child);
        let mut rest = Vec::new();
        std::io::Read::read_to_end(&mut reader, &mut rest).unwrap();
        assert_eq!((&first, rest.as_slice()), (b"up\n", b"".as_slice()));
    }

    #[test]
    fn a_child_that_heeds_signals_ends_by_itself() {
        let (mut reader, writer) = std::io::pipe().unwrap();
        let mut command =
            shell("trap 'echo bye; exit' TERM; echo up; while :; do sleep 0.01; done");
        let mut child = Guarded::spawn(command.stdout(writer)).unwrap();
        drop(command);
        let mut first = [0; 3];
        std::io::Read::read_exact(&mut reader, &mut first).unwrap();
        child.stop();
        let mut rest = String::new();
        std::io::Read::read_to_string(&mut reader, &mut rest).unwrap();
        assert_eq!(rest, "bye\n");
    }
}
