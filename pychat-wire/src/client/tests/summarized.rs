//! The events of a client in few words.

use super::*;

/// Returns what a reader would write down: numbers of messages, and words for everything else, after
/// the room unless that is the hall.
pub(super) fn summary(events: &[Event]) -> Vec<String> {
    let numbers = |messages: &[Message]| {
        let numbers: Vec<_> =
            messages.iter().map(|message| message.seq.unwrap_or(0).to_string()).collect();
        numbers.join(" ")
    };
    let within = |room: &RoomId, line: String| {
        if room.is_hall() { line } else { format!("{room}: {line}") }
    };
    let line = |event: &Event| match event {
        Event::Connect => "connect".to_owned(),
        Event::Disconnect => "disconnect".to_owned(),
        Event::Joined { again, .. } => (if *again { "back" } else { "joined" }).to_owned(),
        Event::Offline { cause, retry_at_ms } => format!("offline {cause:?} {retry_at_ms:?}"),
        Event::Message(message) => within(&message.room, numbers(std::slice::from_ref(message))),
        Event::Page(page) => {
            within(&page.room, format!("page [{}] {}", numbers(&page.messages), page.start))
        }
        Event::Gap { room, from, to } => within(room, format!("gap {from}-{to}")),
        Event::Skipped { room, from, to } => within(room, format!("skipped {from}-{to}")),
        Event::NewEpoch => "new epoch".to_owned(),
        Event::RoomChanged(room) => within(&room.id, format!("room {:?}", room.name)),
        Event::RoomGone { room } => within(room, "gone".to_owned()),
        Event::RoomEvent(record) => {
            let subject = record.subject.as_deref().unwrap_or_default();
            within(&record.room, format!("{} {:?} {subject}", record.seq, record.event))
        }
        Event::RoomRequestDone { room, .. } => within(room, "done".to_owned()),
        Event::Accepted { room, seq, .. } => within(room, format!("accepted {seq}")),
        Event::Failed { room, said, reason: FailReason::Lost, .. } => {
            within(room, format!("lost {}", name_of(said)))
        }
        Event::Failed { room, said, reason: FailReason::Refused { code, .. }, .. } => {
            within(room, format!("refused {} {code:?}", name_of(said)))
        }
        Event::Withdrawn { room, .. } => within(room, "withdrawn".to_owned()),
        Event::Amended(amended) => {
            let what = name_of(&Said::Amendment(amended.amendment.clone()));
            within(&amended.room, format!("{} {what}", amended.seq))
        }
        Event::Refused { code, reason, .. } => format!("not as this name {code:?} {reason}"),
        other => format!("{other:?}"),
    };
    events.iter().map(line).collect()
}

/// Returns what was said in a few words.
pub(super) fn name_of(said: &Said) -> String {
    match said {
        Said::Text { text, reply: None } => text.clone(),
        Said::Text { text, reply: Some(target) } => format!("{text} to {target}"),
        Said::Amendment(Amendment::Edit { target, content }) => {
            format!("edit {target} {}", content.as_deref().unwrap_or("?"))
        }
        Said::Amendment(Amendment::React { target, emoji }) => {
            format!("react {target} {}", emoji.as_deref().unwrap_or("-"))
        }
        Said::Amendment(Amendment::Delete { target }) => format!("delete {target}"),
        Said::Amendment(Amendment::Restore { target, content }) => {
            format!("restore {target} {}", content.as_deref().unwrap_or("?"))
        }
    }
}
