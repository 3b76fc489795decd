//! Certificates, made and read.

use std::os::unix::fs::PermissionsExt;

use super::*;

/// A folder that is gone when dropped.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("pychat-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn own(&self) -> IdentityPlace {
        IdentityPlace::Own(self.0.clone())
    }

    fn file(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, text).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).unwrap();
    }
}

#[test]
fn a_certificate_is_made_once_and_only_its_owner_can_read_the_key() {
    let folder = Folder::new("identity-own");
    let first = Identity::load(&folder.own()).unwrap();
    assert_eq!(Identity::load(&folder.own()).unwrap().pin, first.pin);
    let mode = fs::metadata(folder.0.join(OWN_FILE)).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let names: Vec<_> =
        fs::read_dir(&folder.0).unwrap().map(|it| it.unwrap().file_name()).collect();
    assert_eq!(names, [OWN_FILE]);
}

#[test]
fn what_cannot_be_used_is_named() {
    let folder = Folder::new("identity-bad");
    let [one, other] = ["one", "other"].map(|name| {
        let directory = folder.0.join(name);
        fs::create_dir(&directory).unwrap();
        Identity::load(&IdentityPlace::Own(directory.clone())).unwrap();
        directory.join(OWN_FILE)
    });
    let garbage = folder.file("garbage.pem", "-----BEGIN CERTIFICATE-----\nAAAA");
    let missing = folder.0.join("missing.pem");
    let complaint = |certificate: &Path, key: &Path| {
        let place =
            IdentityPlace::Files { certificate: certificate.to_owned(), key: key.to_owned() };
        let error = Identity::load(&place).unwrap_err().to_string();
        error.replace(folder.0.to_str().unwrap(), "DIR")
    };
    Identity::load(&IdentityPlace::Files { certificate: one.clone(), key: one.clone() }).unwrap();
    for (error, prefix) in [
        (complaint(&one, &other), "cannot use the certificate in DIR/one/tls.pem: "),
        (complaint(&garbage, &one), "cannot read DIR/garbage.pem: "),
        (complaint(&one, &garbage), "cannot read DIR/garbage.pem: "),
        (complaint(&missing, &one), "cannot read DIR/missing.pem: "),
    ] {
        assert!(error.starts_with(prefix) && error.len() > prefix.len(), "{error}");
    }
    let own = folder.file(OWN_FILE, "nothing");
    let error = Identity::load(&folder.own()).unwrap_err();
    assert!(matches!(&error, IdentityError::Read { path, .. } if *path == own), "{error}");
    let nowhere = IdentityPlace::Own(folder.0.join("nowhere"));
    let error = Identity::load(&nowhere).unwrap_err();
    assert!(matches!(error, IdentityError::Write { .. }), "{error}");
}
