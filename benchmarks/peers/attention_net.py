"""The transformers in plain torch: the GPT as nanoGPT writes it, the classifier of torch's own encoder layers."""

from __future__ import annotations

from attention_settings import AttentionSetting
from torch import Tensor, arange, nn
from torch.nn import functional as F


class CausalSelfAttention(nn.Module):
    """Self-attention on what came before."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.c_attn = nn.Linear(width, 3 * width)
        self.c_proj = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        B, T, C = x.shape
        q, k, v = self.c_attn(x).split(C, dim=2)
        q, k, v = (each.view(B, T, self.heads, C // self.heads).transpose(1, 2) for each in (q, k, v))
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.c_proj(y.transpose(1, 2).contiguous().view(B, T, C))


class Block(nn.Module):
    """Attention, then the feed-forward net."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.ln_1 = nn.LayerNorm(width)
        self.attn = CausalSelfAttention(width, heads)
        self.ln_2 = nn.LayerNorm(width)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attn(self.ln_1(x))
        return x + self.mlp(self.ln_2(x))


class GPT(nn.Module):
    """x (B, T) → logits (B · T, V)."""

    def __init__(self, setting: AttentionSetting) -> None:
        super().__init__()
        self.wte = nn.Embedding(setting.vocabulary, setting.width)
        self.wpe = nn.Embedding(setting.length, setting.width)
        self.h = nn.ModuleList(Block(setting.width, setting.heads) for _ in range(setting.layers))
        self.ln_f = nn.LayerNorm(setting.width)
        for name, p in self.named_parameters():
            if p.ndim == 2:
                scale = (2 * setting.layers) ** -0.5 if name.endswith(("c_proj.weight", "mlp.2.weight")) else 1.0
                nn.init.normal_(p, std=0.02 * scale)
            elif name.endswith("bias"):
                nn.init.zeros_(p)

    def forward(self, x: Tensor) -> Tensor:
        h = self.wte(x) + self.wpe(arange(x.shape[1]))
        for block in self.h:
            h = block(h)
        return F.linear(self.ln_f(h), self.wte.weight).view(-1, self.wte.num_embeddings)

    def in_our_order(self) -> list[Tensor]:
        """The parameters in the order in which Workings has them."""
        return list(self.parameters())


class TextClassifier(nn.Module):
    """x (B, T), padded by 0 → logits (B, K): the mean over the places that are no padding."""

    def __init__(self, setting: AttentionSetting) -> None:
        super().__init__()
        D = setting.width
        self.tokens = nn.Embedding(setting.vocabulary, D, padding_idx=0)
        self.places = nn.Embedding(setting.length, D)
        nn.init.normal_(self.places.weight, std=0.02)
        layer = nn.TransformerEncoderLayer(
            D, setting.heads, 4 * D, dropout=0.0, activation="gelu", batch_first=True, norm_first=True
        )
        self.encoder = nn.TransformerEncoder(layer, setting.layers, norm=nn.LayerNorm(D), enable_nested_tensor=False)
        self.output = nn.Linear(D, setting.outputs)

    def forward(self, x: Tensor) -> Tensor:
        real = x != 0
        h = self.tokens(x) + self.places(arange(x.shape[1]))
        h = self.encoder(h, src_key_padding_mask=~real)
        kept = real[..., None].to(h.dtype)
        return self.output((h * kept).sum(1) / kept.sum(1).clamp(min=1))

    def in_our_order(self) -> list[Tensor]:
        """The parameters in the order in which Workings has them."""
        found = [self.tokens.weight, self.places.weight]
        for layer in self.encoder.layers:
            parts = (layer.norm1, layer.self_attn, layer.norm2, layer.linear1, layer.linear2)
            found += [p for part in parts for p in part.parameters()]
        return [*found, *self.encoder.norm.parameters(), *self.output.parameters()]


def make_attention_net(setting: AttentionSetting) -> GPT | TextClassifier:
    return GPT(setting) if setting.kind == "gpt" else TextClassifier(setting)


class TokenLoss(nn.Module):
    """Cross-entropy over all tokens of a batch at once."""

    def forward(self, out: Tensor, y: Tensor) -> Tensor:
        return F.cross_entropy(out, y.view(-1))
