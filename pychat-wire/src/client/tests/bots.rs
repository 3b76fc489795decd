//! The names of bots.

use super::*;

fn bots(names: &[&str]) -> ServerMessage<'static> {
    ServerMessage::Bots { members: std::borrow::Cow::Owned(names.iter().copied().collect()) }
}

fn names(stage: &Stage) -> Vec<&str> {
    stage.client.bots().iter().map(String::as_str).collect()
}

#[test]
fn the_server_says_who_is_a_bot_on_each_line_anew() {
    let mut stage = Stage::joined(0);
    stage.told();
    assert_eq!(stage.hear(&[bots(&["Сборка", "Часы"])]), [Event::BotsChanged]);
    assert_eq!(names(&stage), ["Сборка", "Часы"]);
    assert_eq!(stage.hear(&[bots(&["Часы", "Сборка"])]), [], "they are the same");
    assert_eq!(stage.hear(&[bots(&["Часы"])]), [Event::BotsChanged]);
    assert_eq!(names(&stage), ["Часы"]);
    stage.cut();
    assert!(names(&stage).is_empty(), "nobody is known to be one without a line");
}
