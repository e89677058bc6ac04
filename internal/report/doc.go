// Package report renders what the other packages found as text for people: tables and derivations, fitted to
// the width of the page. The report of an audit is a function of its ledger alone.
package report
