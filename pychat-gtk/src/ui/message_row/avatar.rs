//! The picture of an author.

/// The size of the picture, in pixels.
const SIZE: i32 = 32;

/// Makes one. Whose it is, is written beside it.
pub(super) fn new() -> adw::Avatar {
    adw::Avatar::builder()
        .size(SIZE)
        .show_initials(true)
        .halign(gtk::Align::Start)
        .valign(gtk::Align::Start)
        .accessible_role(gtk::AccessibleRole::Presentation)
        .build()
}
