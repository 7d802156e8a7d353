"""The checkers find what they are there to find."""

import tempfile
import unittest
from pathlib import Path

from tools import house, negative_tests

RUST = """
#[test]
// a reason
fn n041_real() {}

#[tokio::test]
#[ignore]
async fn ignored() {}

fn not_a_test() {}

proptest! {
    #[test]
    fn property(x in 0u8..9) {}
}
"""


class NegativeTests(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.root = Path(self.folder.name)
        (self.root / "a.rs").write_text(RUST)
        (self.root / "A.t.sol").write_text("contract A { function test_refuses_n41() public {} function helper() public {} }")

    def test_only_tests_that_run_count(self):
        reasons = {name: negative_tests.reference_error(self.root, "a.rs", name) for name in (
            "n041_real", "property", "ignored", "not_a_test", "absent")}
        self.assertEqual(reasons, {
            "n041_real": None, "property": None, "ignored": "the test is ignored",
            "not_a_test": "no such test", "absent": "no such test"})

    def test_solidity_functions_count_by_their_prefix(self):
        self.assertIsNone(negative_tests.reference_error(self.root, "A.t.sol", "test_refuses_n41"))
        self.assertEqual(negative_tests.reference_error(self.root, "A.t.sol", "helper"), "no such test")
        self.assertEqual(negative_tests.reference_error(self.root, "B.t.sol", "test_x"), "no such file")

    def test_a_row_says_what_its_status_says(self):
        wrong = [(1, "", "later", "later: a"), (1, "x", "done", ""), (1, "x", "covered", ""), (1, "x", "covered", "`a.rs::b`; later: c"),
                 (1, "x", "partly", "`a.rs::b`"), (1, "x", "later", "`a.rs::b`; later: c"), (1, "x", "later", "")]
        for row in wrong:
            self.assertTrue(list(negative_tests.row_errors(*row)), row)
        for row in [(1, "x", "covered", "`a.rs::b`"), (1, "x", "partly", "`a.rs::b`; later: c"), (1, "x", "later", "later: c")]:
            self.assertEqual(list(negative_tests.row_errors(*row)), [], row)


class House(unittest.TestCase):
    def test_forbidden_words_are_found_and_others_are_not(self):
        forbidden = list(house.patterns((house.ROOT / house.WORDS).read_text()))
        bad = ["see /" + "root/x", "https://index." + "crates.io", "TO" + "DO: later", "a blaz" + "ing fast", "issue " + "7"]
        good = ["issue a token", "/dev/null", "crates.io", "https://example.org/home/a", "the root/branch"]
        self.assertEqual([len(list(house.word_errors("f", line, forbidden))) for line in bad], [1] * len(bad))
        self.assertEqual([list(house.word_errors("f", line, forbidden)) for line in good], [[]] * len(good))

    def test_long_files_and_catch_all_names_are_found(self):
        self.assertTrue(list(house.shape_errors("src/utils.rs", "")))
        self.assertTrue(list(house.shape_errors("src/a.rs", "\n" * 701)))
        self.assertEqual(list(house.shape_errors("src/a.rs", "\n" * 700)), [])

    def test_documents_that_are_not_there_are_found(self):
        absent = "docs/" + "absent.md"
        bad = [f"see `{absent}`", f"include_str!(\"../../../../{absent}\")", f"[a]({absent})."]
        good = ["docs/reliability.md", "](docs/spec/files.md)", "under `docs/spec/`.", f"https://example.org/{absent}"]
        self.assertEqual([len(list(house.document_errors(house.ROOT, "f", line))) for line in bad], [1] * len(bad))
        self.assertEqual([list(house.document_errors(house.ROOT, "f", line)) for line in good], [[]] * len(good))

    def test_unsafe_code_is_allowed_in_the_named_files_alone(self):
        allows = "#![al" + "low(unsafe_code, reason = \"a\")]"
        self.assertTrue(list(house.unsafe_errors("benches/src/secrets.rs", allows)))
        self.assertTrue(list(house.unsafe_errors("benches/memcheck/src/lib.rs", allows)))
        for other in ("expect", "warn"):
            self.assertTrue(list(house.unsafe_errors("benches/src/secrets.rs", allows.replace("allow", other))))
        self.assertEqual([list(house.unsafe_errors(path, allows)) for path in sorted(house.UNSAFE_FILES)], [[], []])

    def test_lock_files_know_one_source(self):
        self.assertTrue(list(house.lock_errors("Cargo.lock", 'source = "git+https://a"')))
        self.assertTrue(list(house.lock_errors("package-lock.json", '"resolved": "x"')))
        self.assertEqual(list(house.lock_errors("Cargo.lock", 'source = "registry+https://github.com/rust-lang/crates.io-index"')), [])


if __name__ == "__main__":
    unittest.main()
