use std::{env, fs, process};

use super::*;
use crate::notes::Notes;

/// Writes each of these frames; returns what is read back.
fn account(name: &str, frames: &[&[Note<'_>]], cut: usize) -> Result<Option<Account>, Unreadable> {
    let path = env::temp_dir().join(format!("pychat-notes-{}-{name}", process::id()));
    let mut notes = Notes::new(path.clone());
    for (index, frame) in frames.iter().enumerate() {
        if index == 0 {
            notes.begin_everything("0f8e", (100, 1_000));
        } else {
            notes.begin();
        }
        frame.iter().for_each(|note| notes.put(note));
        notes.write(index == 0).unwrap();
    }
    let bytes = fs::read(&path).unwrap();
    fs::remove_file(path).unwrap();
    Account::read(&bytes[..bytes.len() - cut])
}

fn peer(at: u64, owed: &[u8], hears: Option<u64>) -> Note<'_> {
    let joined = hears.map(|_| ("Анна", 7));
    Note::Peer(Peer { peer: 5, joined, read: at, at, owed, hears, ..Peer::default() })
}

fn run(published: u64, one: &[u8]) -> Note<'_> {
    Note::Run { published, one, two: b"" }
}

#[track_caller]
fn check_owed(account: &Account, written: u64, expected: Option<&str>) {
    let people = account.people();
    let owed = account.owed(people[0], written).map(|owed| String::from_utf8(owed).unwrap());
    assert_eq!(owed.as_deref(), expected, "after {written}");
}

#[test]
fn what_is_owed_is_found_whatever_was_written_of_it() {
    let frames: &[&[Note<'_>]] = &[
        &[run(1, b"abc"), peer(10, b"greeting", None)],
        &[peer(18, b"welcome", Some(103))],
        &[run(2, b"def")],
        &[run(3, b"gh"), peer(28, b"own", Some(108))],
        &[run(4, b"i")],
    ];
    let account = account("owed", frames, 0).unwrap().unwrap();
    assert_eq!((account.epoch.as_str(), account.published), ("0f8e", 4));
    let all = "greetingwelcomedefowni";
    for skip in 0..=all.len() {
        check_owed(&account, 10 + skip as u64, Some(&all[skip..]));
    }
    check_owed(&account, 9, None);
    check_owed(&account, 33, None);
}

#[test]
fn a_frame_that_is_not_whole_was_never_written() {
    let frames: &[&[Note<'_>]] =
        &[&[run(1, b""), peer(0, b"a", None)], &[run(2, b""), Note::Gone { peer: 5 }]];
    let whole = account("whole", frames, 0).unwrap().unwrap();
    assert_eq!((whole.published, whole.people().len()), (2, 0));
    for cut in 1..5 {
        let torn = account("torn", frames, cut).unwrap().unwrap();
        assert_eq!((torn.published, torn.people().len()), (1, 1));
    }
    assert!(account("nothing", &frames[..1], 1).unwrap().is_none());
}

#[test]
fn nothing_is_made_of_what_makes_no_sense() {
    assert!(Account::read(b"").unwrap().is_none());
    assert!(Account::read(&[0xff; 100]).unwrap().is_none());
    let impossible: &[&[Note<'_>]] = &[&[peer(0, b"a", None), peer(9, b"", None)]];
    assert_eq!(account("impossible", impossible, 0).unwrap_err(), Unreadable::Senseless);
    assert_eq!(Account::read(&framed(b"\x01\x00")).unwrap_err(), Unreadable::Senseless);
    assert_eq!(Account::read(&framed(b"\x00")).unwrap_err(), Unreadable::Senseless);
}

#[test]
fn another_format_is_told_from_nonsense_whatever_comes_after_it() {
    for format in [0, FORMAT + 1, 300] {
        let mut body = postcard::to_allocvec(&(0, format)).unwrap();
        body.extend([0xff; 9]);
        assert_eq!(Account::read(&framed(&body)).unwrap_err(), Unreadable::Format(format));
    }
}

fn framed(body: &[u8]) -> Vec<u8> {
    let size = u32::try_from(body.len()).unwrap().to_le_bytes();
    [&size, &crc32fast::hash(body).to_le_bytes(), body].concat()
}
