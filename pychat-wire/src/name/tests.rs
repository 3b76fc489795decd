//! Names that are taken, names that are not, and names that are taken for each other.

use super::*;

fn name(name: &str) -> UserName {
    UserName::new(name).unwrap()
}

fn clash(one: &str, other: &str) -> bool {
    let (one, other) = (name(one), name(other));
    one.skeletons().iter().any(|skeleton| other.skeletons().contains(skeleton))
}

#[test]
fn names_are_trimmed_and_otherwise_kept() {
    for (given, kept) in [
        ("Анна", "Анна"),
        ("  Анна \u{a0}\n", "Анна"),
        ("Анна  Мария", "Анна  Мария"),
        ("О’Нил-Младший_2 (б.)", "О’Нил-Младший_2 (б.)"),
        ("Nguyễn", "Nguyễn"),
        ("Nguye\u{302}\u{303}n", "Nguye\u{302}\u{303}n"),
        ("สมิ้ง", "สมิ้ง"),
        ("山田 太郎", "山田 太郎"),
        ("👋", "👋"),
        ("❤\u{fe0f}", "❤\u{fe0f}"),
        ("x", "x"),
        ("👋🏽 Анна 🇷🇺", "👋🏽 Анна 🇷🇺"),
    ] {
        assert_eq!(UserName::new(given).as_ref().map(UserName::as_str), Ok(kept));
    }
    assert_eq!(name(&"ж".repeat(32)).as_str(), "ж".repeat(32));
}

#[test]
fn names_that_break_a_rule_are_refused() {
    let forbidden = |character| NameError::Forbidden { character };
    for (given, error) in [
        ("", NameError::Empty),
        (" \t\u{3000} ", NameError::Empty),
        ("\u{2800}", forbidden('\u{2800}')),
        ("\u{3164}\u{fe0f}", forbidden('\u{3164}')),
        ("Анна\u{fe0f}", forbidden('\u{fe0f}')),
        ("Анна\u{1d159}", forbidden('\u{1d159}')),
        ("Анна\u{fffc}", forbidden('\u{fffc}')),
        ("Анна\u{34f}", forbidden('\u{34f}')),
        ("Анна\u{200c}", forbidden('\u{200c}')),
        ("\u{16fe4}", forbidden('\u{16fe4}')),
        ("\u{1107f}", forbidden('\u{1107f}')),
        ("\u{1bc9d}", forbidden('\u{1bc9d}')),
        ("\u{e000}", forbidden('\u{e000}')),
        ("\u{378}", forbidden('\u{378}')),
        ("\u{fffe}", forbidden('\u{fffe}')),
        ("\u{10ffff}", forbidden('\u{10ffff}')),
        ("ﷺ", forbidden('ﷺ')),
        ("Ａ", forbidden('Ａ')),
        ("<b>", forbidden('<')),
        ("Борис, Вера", forbidden(',')),
        ("a\u{a0}b", forbidden('\u{a0}')),
        (&"山".repeat(22), NameError::TooLarge { bytes: 66 }),
        ("\u{301}Анна", NameError::Marks),
        ("Анна \u{301}", NameError::Marks),
        ("a\u{301}\u{302}\u{303}\u{304}", NameError::Marks),
        (&"ж".repeat(33), NameError::TooLong { chars: 33 }),
        ("a\nb", forbidden('\n')),
        ("a\u{0}b", forbidden('\0')),
        ("a\u{1b}[31m", forbidden('\u{1b}')),
        ("a\u{85}b", forbidden('\u{85}')),
        ("a\u{2028}b", forbidden('\u{2028}')),
        ("a\u{2029}b", forbidden('\u{2029}')),
        ("a\u{202e}b", forbidden('\u{202e}')),
        ("a\u{200b}b", forbidden('\u{200b}')),
        ("\u{feff}a", forbidden('\u{feff}')),
        ("a\u{e0041}", forbidden('\u{e0041}')),
    ] {
        assert_eq!(UserName::new(given), Err(error), "{given:?}");
    }
}

#[test]
fn nobody_passes_for_the_server_or_for_you() {
    for given in [
        "Сервер Чата",
        "сервер чата",
        "СЕРВЕР ЧАТА",
        "Сервер  Чата",
        "Сервер Чата.",
        "СерверЧата",
        "С-е-р-в-е-р Чата 🤖",
        "Сервер Чата (2)",
        "Сервер Чата (2) (30)",
        "Сервер Чата 2",
        "Cepвep Чaтa",
        "CEPBEP ЧATA",
        "CepBep Чaтa",
        "Сервер Чата ____________.......a",
        "Вы",
        "вы",
        "ВЫ",
        "Bы",
        "Вы (2)",
        "Вы.",
        "В ы",
        "Вьl",
        "Вь1",
        "ВЬI",
        "Вы ❤\u{fe0f}",
        "Вы..........................Анна",
    ] {
        assert_eq!(UserName::new(given), Err(NameError::Reserved), "{given:?}");
    }
    for given in ["Сервер", "Чата", "Выдра", "Наш Сервер Чата", "Вы и я"]
    {
        assert_eq!(name(given).as_str(), given);
    }
}

#[test]
fn no_name_reads_like_a_sentence_of_the_server() {
    for given in [
        "Анна покинул чат. Борис",
        "анна ПОКИНУЛ ЧАТ",
        "покинул чат.",
        "X присоединился к чату.",
        "Добро пожаловать. Анна",
        "Участников онлайн в чате: 0",
        "Waiting for your username...",
        "покинyл чaт", // Latin y and a.
    ] {
        assert_eq!(UserName::new(given), Err(NameError::Sentence), "{given:?}");
    }
}

#[test]
fn names_clash_that_a_reader_would_confuse() {
    for (one, other) in [
        ("Анна", "анна"),
        ("Анна", "Aннa"),
        ("anna", "ANNA"),
        ("straße", "STRASSE"),
        ("Bob", "B0b"),
        ("Ivan", "lvan"),
        ("Зоё", "Зое\u{308}"),
        ("a b", "a  b"),
    ] {
        assert!(clash(one, other) && clash(other, one), "{one} and {other}");
    }
    for (one, other) in [("Анна", "Инна"), ("Bob", "Rob"), ("a b", "ab"), ("Анна", "Анна (2)")]
    {
        assert!(!clash(one, other), "{one} and {other}");
    }
}

#[test]
fn a_numbered_name_keeps_the_rules_and_looks_as_it_should() {
    for (given, number, numbered) in [
        ("Анна", 2, "Анна (2)".to_owned()),
        (&"ж".repeat(23), 10, "ж".repeat(23) + " (10)"),
        (&"ж".repeat(32), 2, "ж".repeat(23) + " (2)"),
        (&("ж".repeat(22) + " жжжж"), 2, "ж".repeat(22) + " (2)"),
        ("Bob.........................ы", 1_234_567_890, "Bob.................... (999999)".into()),
        ("I0lO (1)", 105, "I0lO (1) (105)".into()),
    ] {
        let given = name(given).numbered(number);
        assert_eq!(given.as_str(), numbered);
        let checked = name(&numbered);
        assert_eq!((&given, given.skeletons()), (&checked, checked.skeletons()));
        assert_eq!(UserName::new(given.numbered(7).as_str()), Ok(given.numbered(7)));
    }
}

#[test]
fn a_number_is_read_as_it_is_written_and_no_other() {
    for number in (1..2_000).chain([99_999, NAME_NUMBER_MAX]) {
        let numbered = name("Анна").numbered(number);
        for (skeleton, stem) in numbered.skeletons().iter().zip(name("Анна").skeletons()) {
            assert_eq!(skeleton.split_number(), Some((stem.as_str(), number)));
        }
    }
    for given in ["Анна", "Анна (02)", "Анна(2)", "Анна (2) 3", "Анна (x)", "Анна (1234567890)"]
    {
        assert_eq!(name(given).skeletons()[0].split_number(), None, "{given}");
    }
}

#[test]
fn whatever_is_asked_for_is_told_soon() {
    let endless = "ﷺ".repeat(1 << 20);
    let forbidden = |character| Err(NameError::Forbidden { character });
    assert_eq!(UserName::new(&endless), Err(NameError::TooLong { chars: 1 << 20 }));
    assert_eq!(UserName::new(&"ﷺ".repeat(32)), forbidden('ﷺ'));
    assert!((0..=u32::from(char::MAX)).filter_map(char::from_u32).all(|character| {
        let is_allowed = rules::find_forbidden(character.encode_utf8(&mut [0; 4])).is_none();
        !is_allowed || character.nfkc().count() <= 4
    }));
}
