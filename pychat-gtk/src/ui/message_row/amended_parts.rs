//! The parts of a row that only messages have which answer others, or to which somebody has reacted.

use gtk::{prelude::*, subclass::prelude::*};

use super::{MARGIN, imp::MessageRow, quote::Quote, reactions::Reactions};
use crate::model::{Message, MessageKind};

impl MessageRow {
    /// Shows what a message answers, above its words.
    pub(super) fn show_quote(&self, message: &Message) {
        let mut quote = self.quote.borrow_mut();
        if message.reply().is_some() && !message.is_deleted() {
            let quote = quote.get_or_insert_with(|| {
                let quote = Quote::default();
                quote.insert_before(&*self.bubble, Some(&*self.text));
                quote
            });
            quote.show(message);
            quote.set_visible(true);
        } else if let Some(quote) = &*quote {
            quote.set_visible(false);
        }
    }

    /// Shows the reactions to a message, below it.
    pub(super) fn show_reactions(&self, message: &Message) {
        let shown = message.reactions();
        let mut reactions = self.reactions.borrow_mut();
        if shown.is_empty() {
            if let Some(reactions) = &*reactions {
                reactions.set_visible(false);
            }
            return;
        }
        let reactions = reactions.get_or_insert_with(|| {
            let reactions = Reactions::default();
            self.obj().append(&reactions);
            reactions
        });
        let is_own = message.kind() == MessageKind::Own;
        reactions.set_margin_start(MARGIN);
        reactions.set_margin_end(if is_own { 0 } else { MARGIN });
        reactions.set_halign(if is_own { gtk::Align::End } else { gtk::Align::Start });
        reactions.show(shown, message.own_reaction());
        reactions.set_visible(true);
    }
}
