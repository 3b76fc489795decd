//! The names of bots.

use super::*;

fn bots(names: &[&str]) -> ServerMessage<'static> {
    ServerMessage::Bots { members: std::borrow::Cow::Owned(names.iter().copied().collect()) }
}

#[test]
fn the_server_says_who_is_a_bot_on_each_line_anew() {
    let mut stage = Stage::joined(0);
    stage.told();
    assert_eq!(stage.hear(&[bots(&["Сборка", "Часы"])]), []);
    assert_eq!(
        ["Сборка", "Часы", "Анна"].map(|name| stage.client.is_bot(name)),
        [true, true, false]
    );
    stage.hear(&[bots(&["Часы"])]);
    assert_eq!(["Сборка", "Часы"].map(|name| stage.client.is_bot(name)), [false, true]);
    stage.cut();
    assert!(!stage.client.is_bot("Часы"), "nobody is known to be one without a line");
}
