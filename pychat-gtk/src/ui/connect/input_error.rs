//! The mistakes in what was typed, in words.

use pychat_wire::{NameError, name::NAME_CHARS_MAX};

use crate::text::{
    i18n::{gettext, gettext_f},
    server_address::AddressError,
};

/// Returns what is wrong with a name.
pub fn name_error(error: NameError) -> String {
    match error {
        NameError::Empty => gettext("Enter your name to join"),
        NameError::TooLong { chars } => gettext_f(
            "Names can have at most {limit} characters; this one has {count}",
            &[("limit", &NAME_CHARS_MAX.to_string()), ("count", &chars.to_string())],
        ),
        NameError::Forbidden { character } if character.is_ascii_graphic() => {
            gettext_f("Names can’t contain “{character}”", &[("character", &character.to_string())])
        }
        NameError::Forbidden { character } => gettext_f(
            "Names can’t contain the character {code}",
            &[("code", &format!("U+{:04X}", u32::from(character)))],
        ),
        NameError::TooLarge { .. } => gettext("This name is too long"),
        NameError::Marks => gettext("Names can have at most two accents on a letter"),
        NameError::Sentence => gettext("This name looks like a message from the server"),
        NameError::Reserved => gettext("This name is reserved"),
        // The rules are the wire's; whatever it adds, the name cannot be used.
        _ => gettext("This name cannot be used"),
    }
}

/// Returns what is wrong with the address of a server.
pub fn address_error(error: AddressError) -> String {
    match error {
        AddressError::Empty => gettext("Enter the server’s address"),
        AddressError::BadHost => gettext("Not a valid host name or IP address"),
        AddressError::Unbracketed => {
            gettext("An IPv6 address needs brackets, like this: [::1]:12345")
        }
        AddressError::BadLink => {
            gettext("This link is damaged. Copy it again, or ask for another one.")
        }
        AddressError::BadPort => gettext("The port must be between 1 and 65535"),
    }
}
