//! Kubernetes' resource quantities: `100m`, `1.5Gi`, `2e3`.

/// Whether `text` is a quantity: a signed decimal with an optional binary suffix, decimal suffix or exponent.
pub fn is_quantity(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let number_end = unsigned.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(unsigned.len());
    let (number, suffix) = unsigned.split_at(number_end);
    let digits = number.bytes().filter(u8::is_ascii_digit).count();
    let points = number.len() - digits;
    if digits == 0 || points > 1 {
        return false;
    }
    match suffix {
        "" | "n" | "u" | "m" | "k" | "M" | "G" | "T" | "P" | "E" | "Ki" | "Mi" | "Gi" | "Ti" | "Pi" | "Ei" => true,
        _ => suffix.strip_prefix(['e', 'E']).is_some_and(|exponent| {
            let digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
            !digits.is_empty() && digits.len() < 10 && digits.bytes().all(|b| b.is_ascii_digit())
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::is_quantity;

    #[test]
    fn accepts_what_kubernetes_accepts() {
        for good in ["0", "1", "1.5Gi", "100m", "+5", "-1", "2e3", "1E6", "12E", ".5", "5.", "1e-3", "64Mi", "3k"] {
            assert!(is_quantity(good), "{good}");
        }
        for bad in ["", "a", "1 Gi", "1GiB", "1..2", "1e", "--1", "Gi", "1K", ".", "1m5"] {
            assert!(!is_quantity(bad), "{bad}");
        }
    }
}
