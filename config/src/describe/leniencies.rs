//! What each leniency lets pass, what it risks and who needs it, for the reference.

use std::fmt::Write;

use stagedoor_policy::request::Leniency;

/// A leniency in the words of the reference.
struct Words {
    passes: &'static str,
    risk: &'static str,
    needed_by: &'static str,
}

/// The section of `docs/reference/policy.md`.
pub(super) fn section() -> String {
    let mut section = PREFACE.to_owned();
    for leniency in Leniency::ALL {
        let Words {
            passes,
            risk,
            needed_by,
        } = words(leniency);
        let _ = writeln!(section, "| `{}` | {passes} | {risk} | {needed_by} |", leniency.name());
    }
    section.push_str(NEVER);
    section
}

const PREFACE: &str = "
## Leniencies

What two servers could read differently is refused with 400: a rule about one reading would say nothing about the other.
`allow` of a site lifts single refusals by name. Allow what the console really sends and nothing more; `stagedoor policy
explain` says which name a refused URL lacks.

What passes is treated in one of two ways. *Rewritten*: it is brought to the one spelling that is judged and that the
console gets. *Judged twice*: the console gets the bytes as they came, and every reading that a server could have of them is
judged; the request passes if each of them does. In a pattern, what is *judged twice* is matched by `*` and `**` and by
nothing else. A segment `.`, or one that ends in `..`, is refused in every reading. A path may have 16 readings: room for
four kinds of such escapes and sessions in one path, each read this way or that; what has more is refused with 400
(`too_many_readings`), whatever is allowed.

| Name | What passes | What it risks | Who needs it |
| --- | --- | --- | --- |
";

const NEVER: &str = "
No name allows these, since no reading of them is safe: segments of dots (and blanks) alone and segments that end in `..`,
however they are encoded; `%00` and other control characters; blanks, tabs, `#`, `\\`, `\"`, `<`, `>` and a backtick
unencoded; `%` without two hexadecimal digits; what is not UTF-8 once decoded, overlong forms included; path parameters other
than a session at the very end.

In the query, which is not judged, everything passes but control characters, blanks, `#`, `\"`, `<`, `>` and, without
`raw-non-ascii`, bytes of 0x80 and above.
";

fn words(leniency: Leniency) -> Words {
    match leniency {
        Leniency::EncodedSlash => Words {
            passes: "`%2F`, as part of a name and as a separator: *judged twice*.",
            risk: "Little: a visitor needs the rights of both readings. A pattern such as `/p/*` holds only the one, so `/p/a%2Fb` is \
                   refused unless some pattern, such as `/p/**`, holds `/p/a/b` as well.",
            needed_by: "APIs with paths or references in one segment (GitLab, Artifactory, RabbitMQ's `/%2F`); Apache with \
                        `AllowEncodedSlashes`, Tomcat with `encodedSolidusHandling`.",
        },
        Leniency::EncodedBackslash => Words {
            passes: "`%5C`, as part of a name and as a separator: *judged twice*.",
            risk: "As above; Windows takes it for a separator.",
            needed_by: "Account names such as `OFFICE\\anna` in the path; file managers on Windows.",
        },
        Leniency::EncodedPercent => Words {
            passes: "`%25`, where neither a letter nor a digit follows: `100%25`, not `%252F`.",
            risk: "A console that decodes twice may answer such a name with an error of its own.",
            needed_by: "File names with a percent sign.",
        },
        Leniency::EncodedDot => Words {
            passes: "`%2E` within a name: *rewritten* to `.`.",
            risk: "None known; the console never sees the escape.",
            needed_by: "Clients that encode every character but letters and digits.",
        },
        Leniency::EncodedSemicolon => Words {
            passes: "`%3B`, as part of a name and as the start of parameters: *judged twice*.",
            risk: "As `encoded-slash`; some servlet containers cut after decoding.",
            needed_by: "File names with a semicolon.",
        },
        Leniency::EncodedQuestionMark => Words {
            passes: "`%3F`, as part of a name and as the end of the path: *judged twice*.",
            risk: "As `encoded-slash`; rewriting rules (Apache's `mod_rewrite`) may end the path there.",
            needed_by: "File names and titles with a question mark: wikis, file managers.",
        },
        Leniency::EncodedHash => Words {
            passes: "`%23`, as part of a name and as the end of the path: *judged twice*.",
            risk: "As `encoded-question-mark`.",
            needed_by: "File names with `#`, such as `C#`.",
        },
        Leniency::Semicolon => Words {
            passes: "One `;jsessionid=…` at the end of the path, as part of a name and as a parameter: *judged twice*.",
            risk: "As `encoded-slash`: `/report;jsessionid=1` needs a pattern such as `/report/**` or `/*` beside `/report`. \
                   The session of the console is in logs and links.",
            needed_by: "Servlet containers whose visitors have no cookie of the console yet: Tomcat, Jetty, WebLogic, \
                        WebSphere.",
        },
        Leniency::EmptySegment => Words {
            passes: "`//`: *rewritten* to `/`.",
            risk: "A console to which `a//b` is something else than `a/b` never gets it.",
            needed_by: "Consoles that put links together carelessly; PHP, nginx and Apache merge slashes themselves.",
        },
        Leniency::CaseInsensitive => Words {
            passes: "Letters from A to Z in either case are the same in rules and paths: *rewritten* to lower case.",
            risk: "A console that tells case apart no longer finds what has capitals. Patterns that differ in case alone are \
                   a fault. Names that Windows knows by another name too (`a.`, `a::$DATA`, `LONGNA~1`) are refused.",
            needed_by: "IIS and ASP.NET, Domino, Express unless it is told otherwise, whatever serves files from Windows. \
                        nginx with `location ~*`. Without it, what \
                        another case would lead elsewhere is refused.",
        },
        Leniency::CaseSensitive => Words {
            passes: "A path that would lead to another area, or need another right, if upper and lower case were one: \
                     judged and forwarded in its own case. Patterns that differ in case alone.",
            risk: "Everything, where it is not true: a console that takes `/ADMIN` for `/admin` answers with what \
                   `/admin/**` keeps closed. Not together with `case-insensitive`.",
            needed_by: "Consoles whose paths differ in case alone, and those that do tell case apart: most on Linux that are \
                        no Express, no nginx with `location ~*` and no Apache with `CheckSpelling`.",
        },
        Leniency::RawDelimiters => Words {
            passes: "`^`, `{`, `}` and a vertical bar unencoded in the path: *rewritten* to escapes.",
            risk: "None known; the console gets what a browser would have sent.",
            needed_by: "Scripts and devices that build URLs by hand; consoles with template marks left in links.",
        },
        Leniency::RawNonAscii => Words {
            passes: "Unencoded UTF-8 beyond ASCII in path and query: *rewritten* to escapes.",
            risk: "None known; the console gets what a browser would have sent. Other encodings than UTF-8 do not pass.",
            needed_by: "Scripts, devices and old browsers that encode nothing.",
        },
        Leniency::LookAlikes => Words {
            passes: "Characters such as `／`, `．`, `…`, `？` and `¥`, which some servers take for `/`, `.`, `...`, `?` and \
                     `\\`: *judged twice*.",
            risk: "As `encoded-slash`, for consoles that bring text to its compatibility form (NFKC) or to a code page.",
            needed_by: "File names in Chinese and Japanese, and those that a word processor has chosen.",
        },
    }
}
