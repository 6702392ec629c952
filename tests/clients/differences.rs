//! Two transcripts, exchange by exchange, that must be equal but for what is declared.

/// What was asked, and what came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchange {
    pub asked: String,
    pub answer: String,
}

/// Where ours answers otherwise on purpose.
pub struct Declared {
    /// What is asked; everything, when empty.
    pub asked: &'static str,
    /// What of stock's answer is otherwise with ours.
    pub stock: &'static str,
    /// What ours has in its place.
    pub ours: &'static str,
    pub reason: &'static str,
}

/// Fails with every difference that is not declared, and with every declaration that nothing needs.
pub fn judge(stock: &[Exchange], ours: &[Exchange], declared: &[Declared]) {
    let asked = |side: &[Exchange]| side.iter().map(|exchange| exchange.asked.clone()).collect::<Vec<_>>();
    assert_eq!(asked(stock), asked(ours), "the two were not asked the same");
    let mut findings = Vec::new();
    let mut is_needed = vec![false; declared.len()];
    for (theirs, ours) in stock.iter().zip(ours).filter(|(theirs, ours)| theirs != ours) {
        let is_it = |known: &Declared| {
            (known.asked.is_empty() || known.asked == theirs.asked)
                && theirs.answer.replace(known.stock, known.ours) == ours.answer
        };
        match declared.iter().position(is_it) {
            Some(index) => is_needed[index] = true,
            None => findings.push(format!("{}\n  stock {}\n  ours  {}", theirs.asked, theirs.answer, ours.answer)),
        }
    }
    for (known, _) in declared.iter().zip(is_needed).filter(|(_, is_needed)| !is_needed) {
        findings.push(format!("{}\n  declared and not met ({})", known.asked, known.reason));
    }
    assert!(findings.is_empty(), "{}\n{} findings", findings.join("\n"), findings.len());
}
