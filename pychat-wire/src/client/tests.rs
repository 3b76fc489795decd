//! A client that hears what a test says.
