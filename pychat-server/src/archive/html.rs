//! A room as a page for people: one file, without scripts, that loads nothing.

use std::{
    fmt,
    io::{self, Write},
    time::{Duration, UNIX_EPOCH},
};

use humantime::format_rfc3339_seconds;
use pychat_wire::message::RoomEvent;

use super::{export::Writer, format::Line};
use crate::core::{id::HALL, record::Room};

/// The last moment that has a date of four digits, in UTC milliseconds since 1970.
const TIME_MS_MAX: u64 = 253_402_300_799_999;

const STYLE: &str = "\
:root{color-scheme:light dark}\
body{font:1rem/1.5 system-ui,sans-serif;max-width:46rem;margin:2rem auto;padding:0 1rem}\
h2{font-size:1rem;margin:2rem 0 .5rem;border-bottom:1px solid}\
article{margin:.6rem 0}\
article:target{outline:2px solid}\
b{margin-right:.5rem}\
time,.note{opacity:.75;font-size:.875rem}\
p{margin:0;white-space:pre-wrap;overflow-wrap:anywhere}";

/// A page that is being written.
#[derive(Debug, Default)]
pub(super) struct Page {
    /// The day under whose heading lines are written.
    day: String,
}

/// A text in which nothing is markup, and no character controls anything.
struct Escaped<'a>(&'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for character in self.0.chars() {
            match character {
                '&' => formatter.write_str("&amp;")?,
                '<' => formatter.write_str("&lt;")?,
                '>' => formatter.write_str("&gt;")?,
                '"' => formatter.write_str("&quot;")?,
                '\'' => formatter.write_str("&#39;")?,
                '\n' | '\t' => fmt::Write::write_char(formatter, character)?,
                _ if character.is_control() => formatter.write_str("\u{fffd}")?,
                _ => fmt::Write::write_char(formatter, character)?,
            }
        }
        Ok(())
    }
}

impl Writer for Page {
    fn head(&mut self, out: &mut dyn Write, room: &Room) -> io::Result<()> {
        let name = Escaped(if room.id == HALL { "Hall" } else { &room.name });
        write!(
            out,
            "<!DOCTYPE html>\n<html>\n<head>\n<meta charset=\"utf-8\">\n\
            <meta http-equiv=\"Content-Security-Policy\" \
            content=\"default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'\">\n\
            <meta name=\"viewport\" content=\"width=device-width\">\n\
            <meta name=\"color-scheme\" content=\"light dark\">\n\
            <title>{name}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<h1 dir=\"auto\">{name}</h1>\n"
        )?;
        if !room.topic.is_empty() {
            writeln!(out, "<p dir=\"auto\">{}</p>", Escaped(&room.topic))?;
        }
        writeln!(out, "<div class=\"note\">Times are UTC.</div>")
    }

    fn line(&mut self, out: &mut dyn Write, line: &Line<'_>) -> io::Result<()> {
        let time_ms = line.time_ms.min(TIME_MS_MAX);
        let time = format_rfc3339_seconds(UNIX_EPOCH + Duration::from_millis(time_ms)).to_string();
        let (day, clock) = time.split_once('T').unwrap_or((&time, ""));
        if day != self.day {
            day.clone_into(&mut self.day);
            writeln!(out, "<h2>{day}</h2>")?;
        }
        let (number, clock) = (line.number, clock.get(..5).unwrap_or_default());
        let author = Escaped(&line.author);
        write!(out, "<article id=\"m{number}\"><b><bdi>{author}</bdi></b>")?;
        write!(out, "<time datetime=\"{time}\">{clock}</time>")?;
        if line.edited_ms.is_some() {
            write!(out, " <span class=\"note\">(edited)</span>")?;
        }
        if let Some(reply) = line.reply {
            write!(out, " <a class=\"note\" href=\"#m{reply}\">in answer to {reply}</a>")?;
        }
        if let Some(text) = &line.text {
            write!(out, "<p dir=\"auto\">{}</p>", Escaped(text))?;
        } else if let Some(event) = line.event {
            let subject = Escaped(line.subject.as_deref().unwrap_or_default());
            write!(out, "<p class=\"note\">{} <bdi>{subject}</bdi></p>", event_words(event))?;
        } else {
            write!(out, "<p class=\"note\">(deleted)</p>")?;
        }
        if !line.reactions.is_empty() {
            write!(out, "<div class=\"note\">")?;
            for (emoji, names) in &line.reactions {
                let names = names.join(", ");
                let (emoji, names) = (Escaped(emoji), Escaped(&names));
                write!(out, "{emoji} <bdi>{names}</bdi> ")?;
            }
            write!(out, "</div>")?;
        }
        writeln!(out, "</article>")
    }

    fn end(&mut self, out: &mut dyn Write, _: u64) -> io::Result<()> {
        writeln!(out, "</body>\n</html>")
    }
}

fn event_words(event: RoomEvent) -> &'static str {
    match event {
        RoomEvent::Created => "made the room",
        RoomEvent::Joined => "joined",
        RoomEvent::Left => "left",
        RoomEvent::Added => "added",
        RoomEvent::Removed => "removed",
        RoomEvent::Renamed => "renamed the room to",
        RoomEvent::Topic => "set the topic to",
        RoomEvent::Unknown => "did something",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::record::{Entry, Kind, State};

    #[test]
    fn nothing_that_anybody_wrote_is_markup() {
        let evil = "<script>\"'&\u{1b}\u{0}</p>";
        let kinds =
            [Kind::Text(evil), Kind::Event { event: RoomEvent::Topic, subject: Some(evil) }];
        let mut out = Vec::new();
        let mut page = Page::default();
        for kind in kinds {
            let reactions = serde_json::to_string(&[(7, evil, evil)]).unwrap();
            let state = State { reactions: Some(&*reactions), ..State::default() };
            let (person, id, reply) = (None, None, Some(1));
            let entry =
                Entry { seq: 3, time_ms: u64::MAX, author: evil, person, kind, id, reply, state };
            page.line(&mut out, &Line::new(entry).unwrap()).unwrap();
        }
        let text = String::from_utf8(out).unwrap();
        assert!(
            text.contains("&lt;script&gt;&quot;&#39;&amp;\u{fffd}\u{fffd}&lt;/p&gt;"),
            "{text}"
        );
        assert!(text.contains("<h2>9999-12-31</h2>"), "{text}");
        for (begin, _) in text.match_indices('<') {
            let tag = text[begin + 1..].trim_start_matches('/');
            let name: String = tag.chars().take_while(char::is_ascii_alphanumeric).collect();
            let known = ["article", "a", "b", "bdi", "div", "h2", "p", "span", "time"];
            assert!(known.contains(&&*name), "{name}: {text}");
        }
    }
}
