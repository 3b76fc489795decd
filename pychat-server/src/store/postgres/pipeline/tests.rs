//! A conversation with PostgreSQL 15, as it was recorded: the server's half, message by message.

use super::*;
use crate::store::postgres::{config::Config, startup::Startup, stream::next_message};

/// The beginning of the session, from the end of authentication on.
const OPENING: &[&[u8]] = &[
    b"R\0\0\0\x08\0\0\0\0",
    b"S\0\0\0!application_name\0pychat test\0",
    b"S\0\0\0\x19client_encoding\0UTF8\0",
    b"S\0\0\0\x17DateStyle\0ISO, MDY\0",
    b"S\0\0\0&default_transaction_read_only\0off\0",
    b"S\0\0\0\x17in_hot_standby\0off\0",
    b"S\0\0\0\x19integer_datetimes\0on\0",
    b"S\0\0\0\x19server_encoding\0UTF8\0",
    b"S\0\0\x002server_version\x0015.18 (Debian 15.18-0+deb12u1)\0",
    b"S\0\0\0\x15TimeZone\0Etc/UTC\0",
    b"K\0\0\0\x0c\0\0\"\xd1\"\x8b'\xde",
    b"Z\0\0\0\x05I",
];

/// The answers to [`listen`] and [`ask`].
const ANSWERS: &[&[u8]] = &[
    // LISTEN, which is prepared first: it has neither parameters nor rows.
    b"1\0\0\0\x04",
    b"t\0\0\0\x06\0\0",
    b"n\0\0\0\x04",
    b"2\0\0\0\x04",
    b"C\0\0\0\x0bLISTEN\0",
    b"Z\0\0\0\x05I",
    // Two rows of three columns, twice.
    b"1\0\0\0\x04",
    b"t\0\0\0\n\0\x01\0\0\0\x19",
    b"T\0\0\0M\0\x03n\0\0\0\0\0\0\0\0\0\0\x17\0\x04\xff\xff\xff\xff\0\0?column?\0\0\0\0\0\0\0\0\0\0\x19\xff\xff\xff\xff\xff\xff\0\0bytea\0\0\0\0\0\0\0\0\0\0\x11\xff\xff\xff\xff\xff\xff\0\0",
    b"2\0\0\0\x04",
    b"D\0\0\0\x1c\0\x03\0\0\0\x04\0\0\0\x01\0\0\0\x06\xd0\x96\xd1\x83\xd0\xba\xff\xff\xff\xff",
    b"D\0\0\0\x1c\0\x03\0\0\0\x04\0\0\0\x02\0\0\0\x06\xd0\x96\xd1\x83\xd0\xba\xff\xff\xff\xff",
    b"C\0\0\0\x0dSELECT 2\0",
    b"2\0\0\0\x04",
    b"D\0\0\0\x16\0\x03\0\0\0\x04\0\0\0\x01\0\0\0\0\xff\xff\xff\xff",
    b"D\0\0\0\x16\0\x03\0\0\0\x04\0\0\0\x02\0\0\0\0\xff\xff\xff\xff",
    b"C\0\0\0\x0dSELECT 2\0",
    // A notification comes before the end of the transaction that made it is told.
    b"1\0\0\0\x04",
    b"t\0\0\0\x06\0\0",
    b"T\0\0\0\"\0\x01pg_notify\0\0\0\0\0\0\0\0\0\x08\xe6\0\x04\xff\xff\xff\xff\0\0",
    b"2\0\0\0\x04",
    b"D\0\0\0\n\0\x01\0\0\0\0",
    b"C\0\0\0\x0dSELECT 1\0",
    b"A\0\0\0\x10\0\0\"\xd1house\0x\0",
    b"Z\0\0\0\x05I",
    // A statement fails, and the one behind it is passed over.
    b"1\0\0\0\x04",
    b"t\0\0\0\n\0\x01\0\0\0\x14",
    b"T\0\0\0!\0\x01?column?\0\0\0\0\0\0\0\0\0\0\x14\0\x08\xff\xff\xff\xff\0\0",
    b"E\0\0\0DSERROR\0VERROR\0C22012\0Mdivision by zero\0Fint8.c\0L1036\0Rint48div\0\0",
    b"Z\0\0\0\x05I",
    // Two commands in one text.
    b"C\0\0\0\x11CREATE TABLE\0",
    b"C\0\0\0\x0fINSERT 0 2\0",
    b"Z\0\0\0\x05I",
    // A statement that is new, and one that is prepared.
    b"1\0\0\0\x04",
    b"t\0\0\0\n\0\x01\0\0\0\x14",
    b"n\0\0\0\x04",
    b"2\0\0\0\x04",
    b"C\0\0\0\x0dUPDATE 2\0",
    b"2\0\0\0\x04",
    b"C\0\0\0\x0bLISTEN\0",
    b"Z\0\0\0\x05I",
];

/// The events that follow from the answers.
const EVENTS: &[&str] = &[
    "done 0",
    "synced",
    "row 1 Жук",
    "row 2 Жук",
    "done 2",
    "row 1 ",
    "row 2 ",
    "done 2",
    "row of 1",
    "done 1",
    "house: x",
    "synced",
    "failed: division by zero (22012)",
    "synced",
    "synced",
    "done 2",
    "done 0",
    "synced",
];

const LISTEN: &str = "LISTEN house";

fn listen(pipeline: &mut Pipeline, out: &mut BytesMut) {
    pipeline.execute(LISTEN, &[], out).unwrap();
    pipeline.sync(out);
}

/// Asks the rest of what was asked in the conversation, once the first statement is known to exist.
fn ask(pipeline: &mut Pipeline, out: &mut BytesMut) {
    let rows = "SELECT n, $1, NULL::bytea FROM generate_series(1, 2) AS n";
    pipeline.execute(rows, &[Value::Text("Жук")], out).unwrap();
    pipeline.execute(rows, &[Value::Text("")], out).unwrap();
    pipeline.execute("SELECT pg_notify('house', 'x')", &[], out).unwrap();
    pipeline.sync(out);
    pipeline.execute("SELECT 1/$1", &[Value::Int(0)], out).unwrap();
    pipeline.execute(rows, &[Value::Text("never")], out).unwrap();
    pipeline.sync(out);
    pipeline.script("CREATE TABLE t (id bigint); INSERT INTO t VALUES (7), (8)", out).unwrap();
    pipeline.execute("UPDATE t SET id = id + $1", &[Value::Int(10)], out).unwrap();
    pipeline.execute(LISTEN, &[], out).unwrap();
    pipeline.sync(out);
}

/// Returns the events of the conversation if its bytes come in these pieces, or why it broke off.
fn hear(pieces: &[&[u8]]) -> Result<Vec<String>, ConnectionError> {
    let config: Config = "postgres://postgres@/postgres?host=/".parse().unwrap();
    let (mut input, mut out) = (BytesMut::new(), BytesMut::new());
    let mut startup = Startup::begin(&config, "pychat test", &mut out)?;
    let mut pipeline = None;
    let mut events = Vec::new();
    for piece in pieces {
        input.extend_from_slice(piece);
        while let Some(message) = next_message(&mut input)? {
            let Some(pipeline) = &mut pipeline else {
                if startup.on_message(message, &config, &mut out)? {
                    listen(pipeline.insert(Pipeline::default()), &mut out);
                }
                continue;
            };
            let Some(event) = pipeline.on_message(message)? else { continue };
            events.push(words(&event));
            if events.len() == 2 {
                ask(pipeline, &mut out);
            }
        }
    }
    Ok(events)
}

fn words(event: &Event) -> String {
    match event {
        Event::Row(row) if row.len() == 3 => {
            assert_eq!(row.get(2), Ok(None::<&[u8]>));
            let number = row.get::<i64>(0).map_err(|error| error.to_string());
            let text = row.get::<&str>(1).map_err(|error| error.to_string());
            format!("row {} {}", number.unwrap_or_default(), text.unwrap_or_default())
        }
        Event::Row(row) => format!("row of {}", row.len()),
        Event::Done { affected } => format!("done {affected}"),
        Event::Failed(error) => format!("failed: {error}"),
        Event::Synced => "synced".to_owned(),
        Event::Notified { channel, payload } => format!("{channel}: {payload}"),
        Event::Up | Event::Lost(_) | Event::Unavailable(_) => format!("{event:?}"),
    }
}

fn conversation() -> Vec<u8> {
    [OPENING, ANSWERS].concat().concat()
}

#[test]
fn a_conversation_is_heard_across_any_cut() {
    let bytes = conversation();
    for cut in 0..=bytes.len() {
        let (head, tail) = bytes.split_at(cut);
        assert_eq!(hear(&[head, tail]).unwrap(), EVENTS, "cut at {cut}");
    }
    let bytewise: Vec<_> = bytes.chunks(1).collect();
    assert_eq!(hear(&bytewise).unwrap(), EVENTS);
}

#[test]
fn a_conversation_that_breaks_off_has_the_events_up_to_there() {
    let bytes = conversation();
    for end in 0..bytes.len() {
        let heard = hear(&[&bytes[..end]]).unwrap();
        assert!(heard.len() < EVENTS.len() && EVENTS.starts_with(&as_words(&heard)), "up to {end}");
    }
}

fn as_words(heard: &[String]) -> Vec<&str> {
    heard.iter().map(String::as_str).collect()
}

#[test]
fn a_conversation_with_a_wrong_byte_is_no_reason_to_panic() {
    let mut bytes = conversation();
    for index in 0..bytes.len() {
        let byte = bytes[index];
        for wrong in [0, 1, b'D', b'E', b'Z', 0x7f, 0xff] {
            bytes[index] = wrong;
            let _ = hear(&[&bytes]); // Whatever it comes to.
        }
        bytes[index] = byte;
    }
}

#[test]
fn what_is_out_of_order_ends_the_session() {
    let opening = OPENING.concat();
    for (answer, expected) in [
        (&b"Z\0\0\0\x05I"[..], "an answer out of order"),
        (b"1\0\0\0\x041\0\0\0\x04", "an answer out of order"),
        (b"D\0\0\0\x06\0\0", "a row"),
        (b"G\0\0\0\x07\0\0\0", "COPY is not spoken here"),
        (b"R\0\0\0\x08\0\0\0\0", "none that belongs to a statement"),
        (b"E\0\0\0\x1fSFATAL\0VFATAL\0C57P01\0Mbye\0\0", "bye (57P01)"),
        (b"D\xff\xff\xff\xff", "malformed"),
        (b"D\x7f\xff\xff\xff", "longer than any should be"),
    ] {
        let error = hear(&[&opening, answer]).unwrap_err().to_string();
        assert!(error.ends_with(expected), "{answer:?}: {error}");
    }
}

#[test]
fn a_server_that_will_not_do_is_told_from_one_that_will() {
    let read_only = b"S\0\0\0\x16in_hot_standby\0on\0";
    let old = b"S\0\0\0\x1cserver_version\x0014.9 (x)\0";
    let ready = b"Z\0\0\0\x05I";
    for (told, expected) in [
        (&[&read_only[..], ready][..], "PostgreSQL 15 or later is needed, and this is "),
        (&[old, ready], "PostgreSQL 15 or later is needed, and this is 14.9 (x)"),
        (&[OPENING[8], read_only, ready], "it is a standby, or read-only"),
    ] {
        assert_eq!(hear(told).unwrap_err().to_string(), expected);
    }
}
