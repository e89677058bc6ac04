// Package augment describes random views of colour images by a few numbers each, and makes the views on the device that trains.
//
// A Params record says how one view differs from its image: rectangle, flip,
// colour changes with their order, blur. Records are drawn on the host (package
// data), so that every engine sees the same views from the same seed. A Stock
// holds the images, eight bits a value, with the Pipeline that all their views
// share; Stock.Views is the graph that gathers the drawn images and makes their
// views in float32 from any backend's ordinary operations. The definition of a
// view is data.ColourAugmentation, which makes it slowly and obviously on the
// host; the two agree within float32 rounding. Views are not differentiated.
package augment
