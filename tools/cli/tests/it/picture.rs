//! A screenshot, and the loose questions that stay true on another machine's fonts.

use std::collections::HashSet;

use super::chromium::Place;

/// Pixels, 8 bits each of red, green and blue.
pub(crate) struct Picture {
    pub(crate) width: usize,
    pub(crate) height: usize,
    pixels: Vec<[u8; 3]>,
}

impl Picture {
    pub(crate) fn decode(png: &[u8]) -> Picture {
        let mut decoder = png::Decoder::new(std::io::Cursor::new(png));
        decoder.set_transformations(png::Transformations::normalize_to_color8());
        let mut reader = decoder.read_info().unwrap();
        let mut bytes = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut bytes).unwrap();
        let samples = info.color_type.samples();
        assert!(samples >= 3, "a page is in colour");
        let pixels = bytes[..info.buffer_size()].chunks_exact(samples);
        Picture {
            width: info.width as usize,
            height: info.height as usize,
            pixels: pixels.map(|pixel| [pixel[0], pixel[1], pixel[2]]).collect(),
        }
    }

    pub(crate) fn pixel(&self, x: usize, y: usize) -> [u8; 3] {
        self.pixels[y * self.width + x]
    }

    /// How many different colours there are in a rectangle.
    pub(crate) fn colours(&self, place: Place) -> usize {
        self.part(place).collect::<HashSet<_>>().len()
    }

    /// The share of a rectangle, 0 to 1, that is not the colour of the page.
    pub(crate) fn ink(&self, place: Place) -> f64 {
        let paper = self.pixel(0, 0);
        let total = self.part(place).count();
        let ink = self.part(place).filter(|pixel| *pixel != paper).count();
        ink as f64 / total as f64
    }

    fn part(&self, place: Place) -> impl Iterator<Item = [u8; 3]> {
        let columns = place.left as usize..((place.left + place.width) as usize).min(self.width);
        let rows = place.top as usize..(place.bottom() as usize).min(self.height);
        rows.flat_map(move |y| columns.clone().map(move |x| self.pixel(x, y)))
    }
}
