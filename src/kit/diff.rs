//! What differs between two texts, line by line, for people to read. Pure.

/// Lines shown around a difference.
const CONTEXT_LINES: usize = 2;
/// Texts with more lines than this are not compared: the table would take the square of it.
const LINES_MAX: usize = 4000;

/// The lines that differ: `-` is only in `old`, `+` only in `new`, a blank in both, `@@` stands for lines left out.
pub fn unified(old: &str, new: &str) -> String {
    let (old, new): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    if old.len().max(new.len()) > LINES_MAX {
        return format!("@@ {} lines, {} lines", old.len(), new.len());
    }
    let marked = compare(&old, &new);
    let differs = |index: usize| marked[index].0 != ' ';
    let mut shown = String::new();
    let mut is_left_out = false;
    for (index, (mark, line)) in marked.iter().enumerate() {
        let around = index.saturating_sub(CONTEXT_LINES)..(index + CONTEXT_LINES + 1).min(marked.len());
        if around.into_iter().any(differs) {
            if is_left_out {
                shown.push_str("@@\n");
            }
            is_left_out = false;
            shown.extend([*mark].iter());
            shown.push_str(line);
            shown.push('\n');
        } else {
            is_left_out = true;
        }
    }
    shown
}

/// Every line of both with its mark, along a longest common subsequence.
fn compare<'a>(old: &[&'a str], new: &[&'a str]) -> Vec<(char, &'a str)> {
    let width = new.len() + 1;
    // common[i * width + j]: how many lines old[i..] and new[j..] can have in common.
    let mut common = vec![0_u16; (old.len() + 1) * width];
    for i in (0..old.len()).rev() {
        for j in (0..new.len()).rev() {
            common[i * width + j] = if old[i] == new[j] {
                common[(i + 1) * width + j + 1] + 1
            } else {
                common[(i + 1) * width + j].max(common[i * width + j + 1])
            };
        }
    }
    let (mut i, mut j) = (0, 0);
    let mut marked = Vec::with_capacity(old.len() + new.len());
    while i < old.len() || j < new.len() {
        if i < old.len() && j < new.len() && old[i] == new[j] {
            marked.push((' ', old[i]));
            (i, j) = (i + 1, j + 1);
        } else if j == new.len() || (i < old.len() && common[(i + 1) * width + j] >= common[i * width + j + 1]) {
            marked.push(('-', old[i]));
            i += 1;
        } else {
            marked.push(('+', new[j]));
            j += 1;
        }
    }
    marked
}
