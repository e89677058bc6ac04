// Package dump reads and writes arrays of numbers in the files that people have: NumPy's .npy and .npz, safetensors, and
// CSV.
//
// A file that holds code (a Python pickle, and so a checkpoint of torch.save or an array of objects) is refused and never
// executed. A file that is cut short, lies about its size, or holds something other than numbers is an *[Error] that
// names file, array and what is wrong.
package dump
