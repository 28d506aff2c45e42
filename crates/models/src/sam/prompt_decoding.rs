//! One prompt through SAM's mask decoder: the weights as slices, what the prompts of an image share, and the arithmetic.

use crate::fused::{
    add_linear, add_to_rows, gelu, layer_norm, product, product_of_columns, product_of_rows, softmax,
    softmax_of_columns, through, Affine, Borrowed, Norm, Onto, Rows,
};

/// Places whose pixels are made at a time, few enough for the cache.
const PLACES: usize = 128;

/// An attention's weights.
pub struct AttentionWeights<'a> {
    pub q: Affine<'a>,
    pub k: Affine<'a>,
    pub v: Affine<'a>,
    pub out: Affine<'a>,
}

/// A layer's weights.
pub struct LayerWeights<'a> {
    pub own: AttentionWeights<'a>,
    pub norm1: Norm<'a>,
    pub to_image: AttentionWeights<'a>,
    pub norm2: Norm<'a>,
    pub lin1: Affine<'a>,
    pub lin2: Affine<'a>,
    pub norm3: Norm<'a>,
    pub norm4: Norm<'a>,
    pub to_tokens: AttentionWeights<'a>,
}

/// The decoder's weights.
pub struct Weights<'a> {
    pub channels: usize,
    pub heads: usize,
    pub tokens: Borrowed<'a>,
    pub layers: Vec<LayerWeights<'a>>,
    pub last: AttentionWeights<'a>,
    pub last_norm: Norm<'a>,
    pub upscaling1: Affine<'a>,
    pub upscaling_norm: Norm<'a>,
    pub upscaling2: Affine<'a>,
    pub masks: Vec<Vec<Affine<'a>>>,
    pub quality: Vec<Affine<'a>>,
    pub object: Option<Vec<Affine<'a>>>,
}

/// Keys, values and queries of an image's places in one layer, each `[places, c / 2]`.
#[derive(Clone, Default)]
struct Projected {
    keys: Vec<f32>,
    values: Vec<f32>,
    queries: Vec<f32>,
}

/// What all prompts of an image share.
pub struct Image<'a> {
    grid: usize,
    /// SAM 2's finer maps, as in `Features`.
    fine: Option<[Borrowed<'a>; 2]>,
    /// The embedding with the dense prompt, `[places, c]`.
    keys: Vec<f32>,
    /// What the first layer makes of it.
    first: Projected,
    /// For the layers behind and the last attention, what the places' encoding adds to keys and queries.
    encoded: Vec<Projected>,
}

fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + (-x).exp())
}

fn plus(a: &[f32], b: &[f32]) -> Vec<f32> {
    a.iter().zip(b).map(|(a, b)| a + b).collect()
}

fn normed(x: &[f32], norm: &Norm) -> Vec<f32> {
    let mut out = vec![0.0; x.len()];
    layer_norm(x, &norm.gain, &norm.bias, norm.epsilon, &mut out);
    out
}

/// `x * weight^T` onto `onto`, without the layer's bias.
fn onto(layer: &Affine, x: &[f32], inputs: usize, mut onto: Vec<f32>) -> Vec<f32> {
    let outputs = layer.outputs(inputs);
    let sizes = (x.len() / inputs, outputs, inputs);
    let left = Rows { values: x, stride: inputs };
    product((&mut onto, outputs), left, Rows { values: &layer.weight, stride: inputs }, sizes, Onto::Sum, 1);
    onto
}

fn perceive(layers: &[Affine], x: &[f32]) -> Vec<f32> {
    let mut x = x.to_vec();
    for (index, layer) in layers.iter().enumerate() {
        x = through(layer, &x, x.len(), 1);
        if index + 1 < layers.len() {
            x.iter_mut().for_each(|value| *value = value.max(0.0));
        }
    }
    x
}

impl<'a> Image<'a> {
    /// Of the embedding with the dense prompt and the places' encoding, `[places, c]` each, and SAM 2's finer maps.
    pub fn new(
        weights: &Weights,
        (keys, places): (Vec<f32>, Vec<f32>),
        fine: Option<[Borrowed<'a>; 2]>,
        grid: usize,
    ) -> Image<'a> {
        let (c, threads) = (weights.channels, rayon::current_num_threads());
        let placed = plus(&keys, &places);
        let first = &weights.layers[0];
        let encode = |to_image: &AttentionWeights, to_tokens: Option<&AttentionWeights>| Projected {
            keys: through(&to_image.k, &places, c, threads),
            values: Vec::new(),
            queries: to_tokens.map(|to_tokens| through(&to_tokens.q, &places, c, threads)).unwrap_or_default(),
        };
        let mut encoded: Vec<Projected> =
            weights.layers[1..].iter().map(|layer| encode(&layer.to_image, Some(&layer.to_tokens))).collect();
        encoded.push(encode(&weights.last, None));
        Image {
            grid,
            fine,
            first: Projected {
                keys: through(&first.to_image.k, &placed, c, threads),
                values: through(&first.to_image.v, &keys, c, threads),
                queries: through(&first.to_tokens.q, &placed, c, threads),
            },
            encoded,
            keys,
        }
    }
}

impl AttentionWeights<'_> {
    /// What tokens `queries` (`[t, c]`) find in keys and values that are already projected, `[m, inside]`: `[t, c]`.
    fn find(&self, queries: &[f32], keys: &[f32], values: &[f32], (c, heads): (usize, usize)) -> Vec<f32> {
        let inside = self.q.outputs(c);
        let (depth, tokens, m) = (inside / heads, queries.len() / c, keys.len() / inside);
        let q = through(&self.q, queries, c, 1);
        let mut found = vec![0.0; tokens * inside];
        let mut logits = vec![0.0; tokens * m];
        for head in 0..heads {
            let at = |x: &'_ [f32]| head * depth..x.len();
            let rows = |x| Rows { values: x, stride: inside };
            let (q, k) = (rows(&q[at(&q)]), rows(&keys[at(keys)]));
            product((&mut logits, m), q, k, (tokens, m, depth), Onto::Nothing, 1);
            logits.chunks_exact_mut(m).for_each(|row| softmax(row, (depth as f32).powf(-0.5)));
            let weights = Rows { values: &logits, stride: m };
            let out = (&mut found[head * depth..], inside);
            product_of_rows(out, weights, rows(&values[at(values)]), (tokens, depth, m), Onto::Nothing, 1);
        }
        through(&self.out, &found, inside, 1)
    }

    /// Adds to places `x` (`[m, c]`), whose queries are `q` (`[m, inside]`), what they find in tokens: keys of `keyed` and
    /// values of `tokens`, `[t, c]` each.
    fn add_found(&self, q: &[f32], keyed: &[f32], tokens: &[f32], x: &mut [f32], (c, heads): (usize, usize)) {
        let inside = self.q.outputs(c);
        let (depth, t, m) = (inside / heads, tokens.len() / c, q.len() / inside);
        let (keys, values) = (through(&self.k, keyed, c, 1), through(&self.v, tokens, c, 1));
        let mut weights = vec![0.0; heads * t * m];
        let mut adds = vec![0.0; heads * t * c];
        for head in 0..heads {
            let part = |x, stride| Rows { values: x, stride };
            let own = &mut weights[head * t * m..][..t * m];
            let (k, q) = (part(&keys[head * depth..], inside), part(&q[head * depth..], inside));
            product((own, m), k, q, (t, m, depth), Onto::Nothing, 1);
            softmax_of_columns(own, m, (depth as f32).powf(-0.5));
            let (v, out) = (part(&values[head * depth..], inside), part(&self.out.weight[head * depth..], inside));
            product((&mut adds[head * t * c..][..t * c], c), v, out, (t, c, depth), Onto::Nothing, 1);
        }
        if let Some(bias) = &self.out.bias {
            add_to_rows(x, bias);
        }
        product_of_columns(
            (x, c),
            Rows { values: &weights, stride: m },
            Rows { values: &adds, stride: c },
            (m, c, heads * t),
        );
    }
}

impl Weights<'_> {
    /// Decodes one prompt: the logits of the wanted masks into `low`, `[masks, 4 g, 4 g]`; returns the quality of every mask, and SAM 2's
    /// logit of there being an object, else 0.
    pub fn decode(
        &self,
        image: &Image,
        prompt: &[f32],
        wanted: std::ops::Range<usize>,
        low: &mut [f32],
    ) -> (Vec<f32>, f32) {
        let (c, sizes) = (self.channels, (self.channels, self.heads));
        let encoded = [&self.tokens[..], prompt].concat();
        let (mut tokens, mut keys) = (encoded.clone(), image.keys.clone());
        for (index, layer) in self.layers.iter().enumerate() {
            let placed = if index == 0 { tokens.clone() } else { plus(&tokens, &encoded) };
            let own_keys = through(&layer.own.k, &placed, c, 1);
            let own_values = through(&layer.own.v, &tokens, c, 1);
            let found = layer.own.find(&placed, &own_keys, &own_values, sizes);
            tokens = normed(&if index == 0 { found } else { plus(&tokens, &found) }, &layer.norm1);
            let projected = match index.checked_sub(1) {
                None => &image.first,
                Some(behind) => &image.encoded[behind].project(layer, &keys, c),
            };
            let found = layer.to_image.find(&plus(&tokens, &encoded), &projected.keys, &projected.values, sizes);
            tokens = normed(&plus(&tokens, &found), &layer.norm2);
            let mut hidden = through(&layer.lin1, &tokens, c, 1);
            hidden.iter_mut().for_each(|value| *value = value.max(0.0));
            let hidden_width = layer.lin1.outputs(c);
            add_linear(&layer.lin2, &hidden, hidden_width, &mut tokens, 1);
            tokens = normed(&tokens, &layer.norm3);
            let keyed = plus(&tokens, &encoded);
            layer.to_tokens.add_found(&projected.queries, &keyed, &tokens, &mut keys, sizes);
            keys = normed(&keys, &layer.norm4);
        }
        let behind = &image.encoded[image.encoded.len() - 1];
        let last_keys = onto(&self.last.k, &keys, c, behind.keys.clone());
        let last_values = through(&self.last.v, &keys, c, 1);
        let found = self.last.find(&plus(&tokens, &encoded), &last_keys, &last_values, sizes);
        tokens = normed(&plus(&tokens, &found), &self.last_norm);
        let first = usize::from(self.object.is_some());
        let token = |index: usize| &tokens[index * c..][..c];
        let own: Vec<f32> =
            wanted.clone().flat_map(|mask| perceive(&self.masks[mask], token(first + 1 + mask))).collect();
        self.paint(&keys, &own, wanted.len(), image, low);
        let quality = perceive(&self.quality, token(first));
        match &self.object {
            // SAM 2's qualities are logits too
            Some(object) => (quality.into_iter().map(sigmoid).collect(), perceive(object, token(0))[0]),
            None => (quality, 0.0),
        }
    }

    /// The logits of `count` masks, whose pixels are the products of `masks` `[count, c / 8]` with the upscaled places.
    fn paint(&self, keys: &[f32], masks: &[f32], count: usize, image: &Image, low: &mut [f32]) {
        let (c, grid) = (self.channels, image.grid);
        let side = 4 * grid;
        for first in (0..grid * grid).step_by(PLACES) {
            let places = &keys[first * c..(first + PLACES).min(grid * grid) * c];
            // each place becomes 2x2, and each of these again, in this order
            let mut doubled = through(&self.upscaling1, places, c, 1);
            let add = |onto: &mut Vec<f32>, which: usize, width: usize, each: usize| {
                if let Some(fine) = &image.fine {
                    onto.iter_mut().zip(&fine[which][first * each * width..]).for_each(|(x, fine)| *x += fine);
                }
            };
            add(&mut doubled, 0, c / 4, 4);
            let mut doubled = normed(&doubled, &self.upscaling_norm);
            gelu(&mut doubled);
            let mut pixels = through(&self.upscaling2, &doubled, c / 4, 1);
            add(&mut pixels, 1, c / 8, 16);
            gelu(&mut pixels);
            let rows = pixels.len() / (c / 8);
            let mut logits = vec![0.0; rows * count];
            let (left, right) = (Rows { values: &pixels, stride: c / 8 }, Rows { values: masks, stride: c / 8 });
            product((&mut logits, count), left, right, (rows, count, c / 8), Onto::Nothing, 1);
            for (at, logits) in logits.chunks_exact(count).enumerate() {
                let (place, outer, inner) = (first + at / 16, at / 4 % 4, at % 4);
                let y = place / grid * 4 + outer / 2 * 2 + inner / 2;
                let x = place % grid * 4 + outer % 2 * 2 + inner % 2;
                for (mask, logit) in logits.iter().enumerate() {
                    low[(mask * side + y) * side + x] = *logit;
                }
            }
        }
    }
}

impl Projected {
    /// The keys, values and queries of places `x` in a layer, whose encoding added what is here.
    fn project(&self, layer: &LayerWeights, x: &[f32], c: usize) -> Projected {
        Projected {
            keys: onto(&layer.to_image.k, x, c, self.keys.clone()),
            values: through(&layer.to_image.v, x, c, 1),
            queries: onto(&layer.to_tokens.q, x, c, self.queries.clone()),
        }
    }
}
