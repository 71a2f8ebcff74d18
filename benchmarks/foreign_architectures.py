"""Architectures of ``transformers``, each built small from its configuration with random weights, and a batch for it.

Nothing is fetched: only configurations and classes of the installed package. ``SMALL`` sets every size that a
configuration has under these names; what an architecture needs beyond is beside its name.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from foreign_batches import (
    BATCH,
    LENGTH,
    SIDE,
    WORDS,
    anything,
    boxes,
    filled,
    film,
    from_to,
    language,
    page,
    patches,
    picture,
    picture_and_words,
    pixels,
    player,
    question,
    segments,
    sentence,
    series,
    span,
    spectrogram,
    spectrum,
    speech,
    spoken,
    wave,
    words,
)
from torch import nn

SMALL: dict[str, Any] = {
    **dict.fromkeys(("hidden_size", "d_model", "n_embd", "dim", "embedding_size", "encoder_hidden_size"), 16),
    **dict.fromkeys(("num_hidden_layers", "num_layers", "n_layer", "n_layers"), 2),
    **dict.fromkeys(("encoder_layers", "decoder_layers", "num_decoder_layers"), 1),
    **dict.fromkeys(("num_attention_heads", "num_heads", "n_head", "n_heads", "num_key_value_heads"), 2),
    **dict.fromkeys(("encoder_attention_heads", "decoder_attention_heads"), 2),
    **dict.fromkeys(("intermediate_size", "d_ff", "encoder_ffn_dim", "decoder_ffn_dim", "hidden_dim", "ffn_dim"), 24),
    **dict.fromkeys(("vocab_size", "decoder_vocab_size"), WORDS),
    **dict.fromkeys(("max_position_embeddings", "n_positions", "max_source_positions", "max_target_positions"), 64),
    **dict.fromkeys(("head_dim", "d_kv"), 8),
    "image_size": SIDE,
    "patch_size": 8,
    "word_embed_proj_dim": 16,
    "pad_token_id": 1,
    "bos_token_id": 0,
    "eos_token_id": 2,
    "decoder_start_token_id": 0,
}

# A smaller size at each of the stages of a net of pictures.
STAGES = {"hidden_sizes": [8, 16], "depths": [1, 1], "num_stages": 2}
EXPERTS = {
    **dict.fromkeys(("num_experts", "num_local_experts", "n_routed_experts", "moe_num_experts"), 4),
    **dict.fromkeys(("num_experts_per_tok", "moe_k"), 2),
    "moe_intermediate_size": 12,
}


@dataclass(frozen=True)
class Architecture:
    """kind: of the batch and the task. auto: the class of ``transformers`` that makes the net. more: its own sizes.

    inside: sizes of configurations within the configuration.
    """

    name: str
    family: str
    auto: str
    batch: Callable[[Any], dict[str, Any]]
    more: dict[str, Any] = field(default_factory=dict)
    inside: dict[str, dict[str, Any]] = field(default_factory=dict)

    def build(self) -> tuple[nn.Module, dict[str, Any]]:
        """The net as it learns, and one batch of random numbers."""
        import transformers

        torch.manual_seed(0)
        config = transformers.AutoConfig.for_model(self.name, **self.more)
        shrink(config, SMALL, self.more)
        for name, sizes in self.inside.items():
            shrink(getattr(config, name), SMALL, sizes)
        made = getattr(transformers, self.auto)
        net = made.from_config(config) if self.auto.startswith("AutoModel") else made(config)
        return net.train(), self.batch(config)


def shrink(config: Any, sizes: dict[str, Any], more: dict[str, Any]) -> None:
    """Set the sizes that the configuration has, and those of the architecture's own, which it must have."""
    for name, value in sizes.items():
        if isinstance(getattr(config, name, None), (int, list)) and name not in more and name not in read_only(config):
            setattr(config, name, value)
    for name, value in more.items():
        setattr(config, name, value)


def read_only(config: Any) -> set[str]:
    """Sizes that the configuration works out from others, or refuses to be told."""
    found: dict[str, Any] = {}
    for kind in reversed(type(config).__mro__):
        found.update(vars(kind))
    fixed = {name for name, value in found.items() if isinstance(value, property) and value.fset is None}
    return fixed | REFUSED.get(config.model_type, set())


REFUSED = {"xlnet": {"max_position_embeddings"}, "funnel": {"num_hidden_layers"}, "prophetnet": {"num_hidden_layers"}}


LM, MASKED, PAIRS, BASE = "AutoModelForCausalLM", "AutoModelForMaskedLM", "AutoModelForSeq2SeqLM", "AutoModel"
CLASSES, LABELS, ANSWERS = (
    "AutoModelForSequenceClassification",
    "AutoModelForTokenClassification",
    "AutoModelForQuestionAnswering",
)
PICTURES = "AutoModelForImageClassification"
A = Architecture

ENCODERS = [
    A("bert", "encoder", MASKED, filled),
    A("roberta", "encoder", MASKED, filled),
    A("distilbert", "encoder", CLASSES, sentence),
    A("albert", "encoder", MASKED, filled),
    A("electra", "encoder", LABELS, lambda c: {"input_ids": words(), "labels": torch.randint(0, 2, (BATCH, LENGTH))}),
    A("deberta", "encoder", MASKED, filled, {"relative_attention": True, "pos_att_type": ["c2p", "p2c"]}),
    A("deberta-v2", "encoder", MASKED, filled, {"relative_attention": True, "pos_att_type": ["c2p", "p2c"]}),
    A("mpnet", "encoder", ANSWERS, span),
    A("xlnet", "encoder", CLASSES, sentence, {"d_inner": 24, "d_model": 16, "n_head": 2, "d_head": 8}),
    A("funnel", "encoder", MASKED, filled, {"block_sizes": [1, 1], "block_repeats": [1, 1],
      "d_head": 8, "d_inner": 24}),
    A("squeezebert", "encoder", MASKED, filled, {f"{k}_groups": 2 for k in ("q", "k", "v", "intermediate", "output")}),
    A("mobilebert", "encoder", MASKED, filled, {"intra_bottleneck_size": 16, "true_hidden_size": 16}),
    A("convbert", "encoder", MASKED, filled, {"conv_kernel_size": 3}),
    A("longformer", "encoder", MASKED, filled, {"attention_window": [4, 4]}),
    A("big_bird", "encoder", MASKED, filled, {"attention_type": "original_full"}),
    A("nystromformer", "encoder", MASKED, filled, {"num_landmarks": 7, "segment_means_seq_len": 7}),
    A("fnet", "encoder", MASKED, lambda c: {"input_ids": words(), "labels": words()}, {"tpu_short_seq_length": LENGTH}),
    A("ibert", "encoder", MASKED, filled),
    A("roformer", "encoder", MASKED, filled),
    A("modernbert", "encoder", MASKED, filled, {"num_hidden_layers": 2,
      "layer_types": ["full_attention", "sliding_attention"]}),
    A("esm", "encoder", MASKED, filled, {"position_embedding_type": "rotary", "mask_token_id": 4, "vocab_size": WORDS,
      "pad_token_id": 1}),
    A("canine", "encoder", CLASSES, lambda c: {"input_ids": words(length=12), "labels": torch.tensor([0, 1])},
      {"downsampling_rate": 4, "local_transformer_stride": 4, "num_hash_buckets": 31}),
    A("layoutlm", "encoder", LABELS, page, {"max_2d_position_embeddings": 64}),
]  # fmt: skip

DECODERS = [
    A("gpt2", "decoder", LM, language),
    A("gpt_neo", "decoder", LM, language, {"attention_types": [[["global", "local"], 1]],
      "num_layers": 2, "window_size": 4}),
    A("gptj", "decoder", LM, language, {"rotary_dim": 4}),
    A("gpt_neox", "decoder", LM, language),
    A("codegen", "decoder", LM, language, {"rotary_dim": 4, "n_head": 4, "n_embd": 16}),
    A("openai-gpt", "decoder", LM, language),
    A("ctrl", "decoder", LM, language, {"dff": 24}),
    A("opt", "decoder", LM, language),
    A("bloom", "decoder", LM, language),
    A("mpt", "decoder", LM, language),
    A("falcon", "decoder", LM, language),
    A("llama", "decoder", LM, language, {"num_key_value_heads": 1}),
    A("mistral", "decoder", LM, language, {"num_key_value_heads": 1, "sliding_window": 4}),
    A("gemma2", "decoder", LM, language, {"sliding_window": 4, "query_pre_attn_scalar": 8}),
    A("gemma3_text", "decoder", LM, language, {"sliding_window": 4, "query_pre_attn_scalar": 8}),
    A("qwen2", "decoder", LM, language),
    A("qwen3", "decoder", LM, language),
    A("phi", "decoder", LM, language),
    A("phi3", "decoder", LM, language),
    A("stablelm", "decoder", LM, language),
    A("olmo2", "decoder", LM, language),
    A("cohere", "decoder", LM, language),
    A("granite", "decoder", LM, language),
    A("biogpt", "decoder", LM, language),
    A("xglm", "decoder", LM, language, {"attention_heads": 2}),
    A("gpt_oss", "mixture of experts", LM, language, EXPERTS),
    A("mixtral", "mixture of experts", LM, language, EXPERTS),
    A("qwen2_moe", "mixture of experts", LM, language, {**EXPERTS, "shared_expert_intermediate_size": 12}),
    A("olmoe", "mixture of experts", LM, language, EXPERTS),
    A("deepseek_v3", "mixture of experts", LM, language, {**EXPERTS, "n_group": 2, "topk_group": 1, "q_lora_rank": 8,
      "kv_lora_rank": 8, "head_dim": 4, "qk_rope_head_dim": 4, "qk_nope_head_dim": 4, "v_head_dim": 8,
      "first_k_dense_replace": 1}),
    A("jetmoe", "mixture of experts", LM, language, {**EXPERTS, "kv_channels": 8}),
    A("mamba", "state space", LM, language, {"state_size": 4, "time_step_rank": 2, "intermediate_size": 32}),
    A("mamba2", "state space", LM, language,
      {"hidden_size": 16, "state_size": 4, "num_heads": 4, "head_dim": 8, "n_groups": 1, "chunk_size": 4}),
    A("falcon_mamba", "state space", LM, language, {"state_size": 4, "time_step_rank": 2, "intermediate_size": 32}),
    A("rwkv", "recurrent", LM, language, {"attention_hidden_size": 16}),
    A("recurrent_gemma", "recurrent", LM, language, {"num_hidden_layers": 3, "lru_width": 16,
      "attention_window_size": 4, "num_key_value_heads": 1}),
    A("jamba", "state space", LM, language, {**EXPERTS, "mamba_d_state": 4, "mamba_dt_rank": 2, "attn_layer_period": 2,
      "attn_layer_offset": 1, "expert_layer_period": 2, "expert_layer_offset": 1, "use_mamba_kernels": False}),
]  # fmt: skip

ENCODER_DECODERS = [
    A("t5", "encoder–decoder", PAIRS, from_to, {"decoder_start_token_id": 0}),
    A("bart", "encoder–decoder", PAIRS, from_to),
    A("marian", "encoder–decoder", PAIRS, from_to),
    A("pegasus", "encoder–decoder", PAIRS, from_to),
    A("m2m_100", "encoder–decoder", PAIRS, from_to),
    A("blenderbot", "encoder–decoder", PAIRS, from_to),
    A("longt5", "encoder–decoder", PAIRS, from_to, {"local_radius": 3, "decoder_start_token_id": 0}),
    A("led", "encoder–decoder", PAIRS, from_to,
      {"attention_window": [4], "max_encoder_position_embeddings": 64, "max_decoder_position_embeddings": 64}),
    A("prophetnet", "encoder–decoder", PAIRS, from_to, {"num_encoder_layers": 1, "num_encoder_attention_heads": 2,
      "num_decoder_attention_heads": 2}),
    A("switch_transformers", "mixture of experts", PAIRS, from_to, {"num_experts": 2, "decoder_start_token_id": 0,
      "num_sparse_encoder_layers": 1,
      "num_sparse_decoder_layers": 1, "encoder_sparse_step": 2, "decoder_sparse_step": 1}),
]  # fmt: skip

TWO_STAGES = {"depths": [1, 1], "num_heads": [2, 2], "embed_dim": 8}
VISION = [
    A("vit", "vision", PICTURES, picture),
    A("deit", "vision", "DeiTForImageClassification", picture),
    A("beit", "vision", PICTURES, picture),
    A("dinov2", "vision", PICTURES, picture),
    A("vit_mae", "vision", "AutoModelForPreTraining", pixels,
      {"decoder_hidden_size": 16, "decoder_num_hidden_layers": 1, "decoder_num_attention_heads": 2,
       "decoder_intermediate_size": 24}),
    A("swin", "vision", PICTURES, picture, {**TWO_STAGES, "patch_size": 4, "window_size": 4}),
    A("swinv2", "vision", PICTURES, picture, {**TWO_STAGES, "patch_size": 4, "window_size": 4,
      "pretrained_window_sizes": [0, 0]}),
    A("convnext", "vision", PICTURES, picture, {**STAGES, "patch_size": 4}),
    A("convnextv2", "vision", PICTURES, picture, {**STAGES, "patch_size": 4}),
    A("resnet", "vision", PICTURES, picture, {**STAGES, "embedding_size": 8}),
    A("regnet", "vision", PICTURES, picture, {**STAGES, "embedding_size": 8, "groups_width": 4}),
    A("mobilenet_v2", "vision", PICTURES, picture, {"depth_multiplier": 0.1, "depth_divisible_by": 4,
      "min_depth": 4}),
    A("efficientnet", "vision", PICTURES, picture, {"width_coefficient": 0.125, "depth_coefficient": 0.2,
      "hidden_dim": 160, "pooling_kernel_size": 1, "depth_divisor": 4}),
    A("poolformer", "vision", PICTURES, picture, {"hidden_sizes": [8, 16], "depths": [1, 1], "num_encoder_blocks": 2,
      "patch_sizes": [7, 3], "strides": [4, 2], "padding": [2, 1]}),
    A("pvt", "vision", PICTURES, picture, {"hidden_sizes": [8, 16], "depths": [1, 1], "num_encoder_blocks": 2,
      "patch_sizes": [4, 2], "strides": [4, 2], "num_attention_heads": [1, 2], "sequence_reduction_ratios": [4, 1],
      "mlp_ratios": [2, 2]}),
    A("levit", "vision", "LevitForImageClassification", picture,
      {"hidden_sizes": [16, 16, 16], "num_attention_heads": [1, 2, 2],
      "depths": [1, 1, 1], "key_dim": [4, 4, 4], "image_size": 64, "patch_size": 16,
      "down_ops": [["Subsample", 4, 2, 2, 2, 2], ["Subsample", 4, 2, 2, 2, 2]]}),
    A("cvt", "vision", PICTURES, picture, {"embed_dim": [8, 8, 16], "num_heads": [1, 1, 2],
      "depth": [1, 2, 3]}),
    A("focalnet", "vision", PICTURES, picture, {"embed_dim": 8, "depths": [1, 1], "patch_size": 4,
      "focal_levels": [2, 2], "focal_windows": [3, 3]}),
    A("segformer", "vision", "AutoModelForSemanticSegmentation", segments, {"hidden_sizes": [8, 16], "depths": [1, 1],
      "num_encoder_blocks": 2, "patch_sizes": [7, 3], "strides": [4, 2], "num_attention_heads": [1, 2],
      "sr_ratios": [4, 2], "mlp_ratios": [2, 2], "decoder_hidden_size": 8}),
    A("mobilevit", "vision", PICTURES, picture,
      {"hidden_sizes": [12, 16, 20], "neck_hidden_sizes": [4, 4, 8, 8, 8, 8, 16],
      "patch_size": 2, "image_size": 64}),
    A("videomae", "vision", "AutoModelForVideoClassification", film, {"num_frames": 4, "tubelet_size": 2}),
    A("timesformer", "vision", "AutoModelForVideoClassification", film, {"num_frames": 2}),
    A("vivit", "vision", "AutoModelForVideoClassification", film, {"num_frames": 2, "tubelet_size": [2, 8, 8]}),
    A("yolos", "vision", "AutoModelForObjectDetection", boxes,
      {"image_size": [SIDE, SIDE], "num_detection_tokens": 3}),
    A("swin2sr", "vision", "AutoModelForImageToImage", lambda c: {"pixel_values": torch.rand(1, 3, 16, 16)},
      {"embed_dim": 8, "depths": [1], "num_heads": [2], "patch_size": 1, "image_size": 16, "window_size": 4}),
]  # fmt: skip

CONVS = {"conv_dim": [8, 8], "conv_kernel": [10, 3], "conv_stride": [5, 2], "num_feat_extract_layers": 2,
         "num_conv_pos_embeddings": 4, "num_conv_pos_embedding_groups": 2, "mask_time_prob": 0.0,
         "classifier_proj_size": 8, "layerdrop": 0.0}  # fmt: skip
WAVES = "AutoModelForAudioClassification"
SOUND = [
    A("wav2vec2", "audio", WAVES, wave, CONVS),
    A("hubert", "audio", "AutoModelForCTC", spoken, CONVS),
    A("wavlm", "audio", WAVES, wave, {**CONVS, "num_buckets": 8, "max_bucket_distance": 16}),
    A("sew", "audio", WAVES, wave, {**CONVS, "squeeze_factor": 2}),
    A("data2vec-audio", "audio", WAVES, wave, {**CONVS, "num_conv_pos_embeddings": 2, "conv_pos_kernel_size": 3}),
    A("whisper", "audio", "AutoModelForSpeechSeq2Seq", spectrum, {"num_mel_bins": 8, "max_source_positions": 16,
      "pad_token_id": 1}),
    A("speech_to_text", "audio", "AutoModelForSpeechSeq2Seq", speech, {"input_feat_per_channel": 8,
      "conv_channels": 16, "num_conv_layers": 2, "conv_kernel_sizes": [3, 3]}),
    A("audio-spectrogram-transformer", "audio", WAVES, spectrogram, {"max_length": 24, "num_mel_bins": 16,
      "patch_size": 8, "frequency_stride": 8, "time_stride": 8}),
    A("encodec", "audio", BASE, lambda c: {"input_values": torch.randn(1, 1, 128)},
      {"num_filters": 4, "upsampling_ratios": [4, 2], "codebook_size": 16, "hidden_size": 8, "codebook_dim": 8}),
]  # fmt: skip

OTHERS = [
    A("clip", "vision and text", BASE, picture_and_words, {"projection_dim": 8},
      {"text_config": {}, "vision_config": {}}),
    A("siglip", "vision and text", BASE, picture_and_words, {}, {"text_config": {"projection_size": 16},
      "vision_config": {}}),
    A("blip", "vision and text", BASE, picture_and_words, {"projection_dim": 8}, {"text_config": {
      "encoder_hidden_size": 16}, "vision_config": {}}),
    A("vilt", "vision and text", "ViltForQuestionAnswering", question),
    A("perceiver", "other", CLASSES, anything, {"d_latents": 8, "num_latents": 4, "num_self_attends_per_block": 1,
      "num_self_attention_heads": 2, "num_cross_attention_heads": 2, "d_model": 16}),
    A("decision_transformer", "other", BASE, player, {"state_dim": 3, "act_dim": 2, "max_ep_len": 16}),
    A("time_series_transformer", "series", "TimeSeriesTransformerForPrediction", series,
      {"prediction_length": 4, "context_length": 6, "num_time_features": 2, "lags_sequence": [1, 2]}),
    A("informer", "series", "InformerForPrediction", series,
      {"prediction_length": 4, "context_length": 6, "num_time_features": 2, "lags_sequence": [1, 2]}),
    A("patchtst", "series", "PatchTSTForPrediction", patches, {"context_length": 16, "prediction_length": 4,
      "num_input_channels": 2, "patch_length": 4, "patch_stride": 4}),
    A("patchtsmixer", "series", "PatchTSMixerForPrediction", patches, {"context_length": 16, "prediction_length": 4,
      "num_input_channels": 2, "patch_length": 4, "patch_stride": 4}),
]  # fmt: skip

ALL = [*ENCODERS, *DECODERS, *ENCODER_DECODERS, *VISION, *SOUND, *OTHERS]
