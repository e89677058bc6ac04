package data

import (
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"os"
	"path/filepath"
)

// ContactSheet draws one row for each listed image: the image itself, then
// views views of it, each pixel a scale×scale square. Intensities outside
// [0, 1] are cut off. The views are those of Key{Seed: seed, Stream:
// StreamTrainView} with the row as Sample. It panics when an image is out of
// range or scale is below 1.
func ContactSheet(set *Set, aug Augmentation, images []int, views, scale int, seed uint64) (*image.RGBA, error) {
	h, w, c, err := aug.Size(set.H, set.W, set.C)
	if err != nil {
		return nil, err
	}
	if c != 1 && c != 3 {
		return nil, fmt.Errorf("data: contact sheet of images with %d channels, want 1 or 3", c)
	}
	if scale < 1 {
		panic(fmt.Sprintf("data: contact sheet at scale %d", scale))
	}
	const gap = 2
	cellH, cellW := h*scale+gap, w*scale+gap
	sheet := image.NewRGBA(image.Rect(0, 0, (views+1)*cellW+gap, len(images)*cellH+gap))
	for i := range sheet.Pix {
		sheet.Pix[i] = 0x60
		if i%4 == 3 {
			sheet.Pix[i] = 0xff
		}
	}
	draw := func(row, column, ih, iw int, at func(y, x, k int) float64) {
		for y := range ih * scale {
			for x := range iw * scale {
				var v [3]uint8
				for k := range 3 {
					v[k] = uint8(math.Round(255 * min(max(at(y/scale, x/scale, min(k, c-1)), 0), 1)))
				}
				sheet.SetRGBA(gap+column*cellW+x, gap+row*cellH+y, color.RGBA{v[0], v[1], v[2], 255})
			}
		}
	}
	view := make([]float32, h*w*c)
	for row, i := range images {
		img := set.Image(i)
		draw(row, 0, img.H, img.W, func(y, x, k int) float64 {
			return float64(img.Pixels[(y*img.W+x)*c+k]) / float64(img.White)
		})
		for v := range views {
			aug.View(view, img, Key{Seed: seed, Stream: StreamTrainView, Sample: uint64(row), View: uint64(v)}.Rand())
			draw(row, v+1, h, w, func(y, x, k int) float64 {
				return float64(aug.Intensity(view[(y*w+x)*c+k], k))
			})
		}
	}
	return sheet, nil
}

// WritePNG writes img to path: first to a temporary file beside it, which then
// takes the name, so that no half-written picture is left.
func WritePNG(path string, img image.Image) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return fmt.Errorf("data: %w", err)
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(f.Name())
		}
	}()
	if err := png.Encode(f, img); err != nil {
		return fmt.Errorf("data: %s: %w", path, err)
	}
	if err := f.Chmod(0o644); err != nil {
		return fmt.Errorf("data: %w", err)
	}
	if err := f.Close(); err != nil {
		return fmt.Errorf("data: %w", err)
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return fmt.Errorf("data: %w", err)
	}
	return nil
}
