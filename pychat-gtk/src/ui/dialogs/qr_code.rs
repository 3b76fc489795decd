//! A QR code: dark on white, whatever the style of the desktop, as cameras expect it.

use std::cell::{Cell, RefCell};

use gtk::{gdk, glib, graphene, gsk, prelude::*, subclass::prelude::*};
use qrcode::{Color, QrCode as Code};

/// The width of the white margin that ISO/IEC 18004 asks for, in modules.
const QUIET_MODULES: i32 = 4;

/// The side of the widget, in pixels, where there is room; codes with more modules take more.
const SIDE: i32 = 240;

/// The side of a module, in pixels, below which a camera finds it hard to tell them apart.
const MODULE_SIDE_MIN: i32 = 3;

/// The radius of the corners of the margin, in pixels.
const CORNER_RADIUS: f32 = 12.0;

mod imp {
    use super::*;

    #[derive(Debug, Default)]
    pub struct QrCode {
        /// The number of modules on a side; 0 without a code.
        n_modules: Cell<i32>,
        /// The dark modules, row by row: each run of them as its row, column and length.
        runs: RefCell<Vec<(i32, i32, i32)>>,
    }

    #[glib::object_subclass]
    impl ObjectSubclass for QrCode {
        const NAME: &'static str = "PychatQrCode";
        type Type = super::QrCode;
        type ParentType = gtk::Widget;

        fn class_init(klass: &mut Self::Class) {
            klass.set_accessible_role(gtk::AccessibleRole::Img);
        }
    }

    impl ObjectImpl for QrCode {}

    impl WidgetImpl for QrCode {
        fn measure(&self, _: gtk::Orientation, _: i32) -> (i32, i32, i32, i32) {
            let side = SIDE.max(MODULE_SIDE_MIN * self.n_modules_with_margin());
            (side, side, -1, -1)
        }

        fn snapshot(&self, snapshot: &gtk::Snapshot) {
            let (width, height) = (self.obj().width(), self.obj().height());
            let n_modules = self.n_modules_with_margin();
            let side = width.min(height);
            let module = side / n_modules; // Whole pixels: the edges stay sharp.
            if self.n_modules.get() == 0 || module == 0 {
                return;
            }
            let area = rectangle((width - side) / 2, (height - side) / 2, side, side);
            snapshot.push_rounded_clip(&gsk::RoundedRect::from_rect(area, CORNER_RADIUS));
            snapshot.append_color(&gdk::RGBA::WHITE, &area);
            let margin = (side - module * self.n_modules.get()) / 2;
            let (left, top) = ((width - side) / 2 + margin, (height - side) / 2 + margin);
            for (row, column, length) in &*self.runs.borrow() {
                let (x, y) = (left + module * column, top + module * row);
                let run = rectangle(x, y, module * length, module);
                snapshot.append_color(&gdk::RGBA::BLACK, &run);
            }
            snapshot.pop();
        }
    }

    impl QrCode {
        fn n_modules_with_margin(&self) -> i32 {
            self.n_modules.get() + 2 * QUIET_MODULES
        }

        pub(super) fn set(&self, code: Option<&Code>) {
            let n_modules = code.map_or(0, Code::width);
            let colors = code.map(Code::to_colors).unwrap_or_default();
            self.n_modules.set(i32::try_from(n_modules).unwrap_or_default());
            self.runs.replace(dark_runs(&colors, n_modules));
            self.obj().queue_resize();
        }
    }
}

glib::wrapper! {
    /// A QR code.
    pub struct QrCode(ObjectSubclass<imp::QrCode>)
        @extends gtk::Widget,
        @implements gtk::Accessible, gtk::Buildable, gtk::ConstraintTarget;
}

impl QrCode {
    /// Shows `text`. A text that is too long for a code is not shown.
    pub fn show_text(&self, text: &str) {
        let code = Code::new(text);
        self.set_visible(code.is_ok());
        self.imp().set(code.ok().as_ref());
    }
}

/// Returns the runs of dark modules, each as its row, column and length.
fn dark_runs(colors: &[Color], n_modules: usize) -> Vec<(i32, i32, i32)> {
    let mut runs = Vec::new();
    for (row, colors) in colors.chunks(n_modules.max(1)).enumerate() {
        let mut column = 0;
        for run in colors.chunk_by(PartialEq::eq) {
            if run[0] == Color::Dark {
                runs.push((number(row), number(column), number(run.len())));
            }
            column += run.len();
        }
    }
    runs
}

/// Returns a number of modules, of which there are at most 177 × 177.
fn number(n: usize) -> i32 {
    i32::try_from(n).unwrap_or_default()
}

#[expect(clippy::cast_precision_loss, reason = "no screen is as large as that")]
fn rectangle(x: i32, y: i32, width: i32, height: i32) -> graphene::Rect {
    graphene::Rect::new(x as f32, y as f32, width as f32, height as f32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_dark_module_is_in_one_run() {
        use Color::{Dark, Light};
        let colors = [Dark, Dark, Light, Light, Dark, Dark, Dark, Light, Dark];
        let runs = [(0, 0, 2), (1, 1, 2), (2, 0, 1), (2, 2, 1)];
        assert_eq!(dark_runs(&colors, 3), runs);
        assert_eq!(dark_runs(&[], 0), []);
        let code = Code::new("pychat://chat.example/").expect("it is short");
        let n_dark = code.to_colors().iter().filter(|color| **color == Dark).count();
        let runs = dark_runs(&code.to_colors(), code.width());
        let n_in_runs: i32 = runs.iter().map(|(_, _, length)| *length).sum();
        assert_eq!(n_in_runs, number(n_dark));
    }
}
