//! Routes that can never be reached, because an earlier one takes all their requests.

use crate::host::Host;
use crate::report::Book;
use crate::view::View;

pub(crate) fn report(_view: &View<'_>, _host: &Host<'_>, _book: &mut Book) {}
