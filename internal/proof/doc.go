// Package proof tests Wadi from the outside: it builds the real binary, imports
// real files, and holds what comes back against what went in and against
// foreign readers. Package tests show that the parts are right; these show that
// the product is.
//
// They need the corpus of real files (WADI_CORPUS) or a Python environment with
// PyIceberg (WADI_PYTHON), take minutes (WADI_SLOW), and say so when they skip.
package proof
