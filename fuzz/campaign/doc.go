// Package campaign keeps the results of long samplings so that they can be interrupted at any byte and
// resumed.
//
// A store is a folder with two files: campaign.json says what is being computed and is written once, by a
// temporary file and a rename; tiles.log has one line per finished tile, a checksum before it, and is only
// ever appended to. A line that was cut short or damaged is dropped when the store is opened, and its tile
// computed again. Since a tile's result depends on nothing but its number, the whole does not depend on the
// order in which tiles were finished, on how many workers there were, or on interruptions.
package campaign
