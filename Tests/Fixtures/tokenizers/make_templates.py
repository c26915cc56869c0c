"""Makes the oracle of TemplateTests: published chat templates, and what transformers renders by them.

    pip install transformers==5.24.0 trl==1.16.0
    python make_templates.py

Those that TRL ships are read from it; the others are written down here. Writes templates.json beside this script.
"""

import json
import pathlib

import transformers
import trl
from transformers.utils.chat_template_utils import render_jinja_template

assert transformers.__version__ == "5.24.0" and trl.__version__ == "1.16.0"

HERE = pathlib.Path(__file__).parent
SHIPPED = pathlib.Path(trl.__file__).parent / "chat_templates"
IMAGES_FIRST = "{% for content in message['content'] | selectattr('type', 'equalto', 'image') %}{{ '<image>NL' }}{% endfor %}"
TEXTS_NEXT = (
    "{% if message['role'] != 'assistant' %}{% for content in message['content'] | selectattr('type', 'equalto', 'text') %}"
    "{{ BEFORE content['text'] }}{% endfor %}{% else %}"
    "{% for content in message['content'] | selectattr('type', 'equalto', 'text') %}{% generation %}{{ BEFORE content['text'] }}{% endgeneration %}{% endfor %}{% endif %}"
)
ONEVISION = (
    "{% for message in messages %}{{'<|im_start|>' + message['role'] + 'GAP'}}{# Render all images first #}" + IMAGES_FIRST
    + "{# Render all text next #}" + TEXTS_NEXT
    + "{{'<|im_end|>' TAIL}}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)  # fmt: skip


def onevision(gap, newline, before, tail):
    return ONEVISION.replace("GAP", gap).replace("NL", newline).replace("BEFORE ", before).replace(" TAIL", tail)


QWEN2 = (
    "{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}"
    "{{ '<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n' }}{% endif %}"
    "{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
CHATML = (
    "{% if not add_generation_prompt is defined %}{% set add_generation_prompt = false %}{% endif %}"
    "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
MISTRAL = (
    "{{ bos_token }}{% for message in messages %}{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}"
    "{{ raise_exception('Roles must alternate.') }}{% endif %}{% if message['role'] == 'user' %}{{ '[INST] ' + message['content'] + ' [/INST]' }}"
    "{% elif message['role'] == 'assistant' %}{{ message['content'] + eos_token}}{% endif %}{% endfor %}"
)
SPACED = """{%- for message in messages %}
    {%- if loop.first %}
        {{- bos_token }}
    {%- endif %}
    {% if message.role == 'user' -%}
        Human: {% for part in message.content if part.type == 'image' %}{{ '<image> ' }}{% endfor %}
        {%- for part in message.content if part.type == 'text' %}{{ part.text | trim }}{% endfor %}
    {%- else %}
    Machine: {{ message.content[0].text }}{{ eos_token -}}
    {% endif %}
{% endfor %}
{% if add_generation_prompt %}
    Machine:
{%- endif %}"""

# LLaVA-1.5's and that of LLaVA-NeXT over Vicuna
LLAVA = (
    "{% for message in messages %}{% if message['role'] != 'system' %}{{ message['role'].upper() + ': '}}{% endif %}{# Render all images first #}"
    + IMAGES_FIRST.replace("NL", "\\n") + "{# Render all text next #}"
    + TEXTS_NEXT.replace("BEFORE ", "").replace("content['text'] }}", "content['text'] + ' '}}")
    + "{% endfor %}{% if add_generation_prompt %}{{ 'ASSISTANT:' }}{% endif %}"
)  # fmt: skip

CHAT_TOKENS = ["<|im_start|>", "<|im_end|>", "<|endoftext|>"]
TEMPLATES = {
    "smolvlm": (None, ["<end_of_utterance>", *CHAT_TOKENS], None, "<end_of_utterance>", "smolvlm"),
    "idefics3": (None, ["<|begin_of_text|>", "<end_of_utterance>"], "<|begin_of_text|>", "<end_of_utterance>", None),
    "qwen2_5_vl": (None, CHAT_TOKENS, None, "<|im_end|>", "qwen2_vl"),
    "qwen2_5": (None, CHAT_TOKENS, None, "<|im_end|>", None),
    "phi3": (None, ["<|user|>", "<|assistant|>", "<|end|>", "<|endoftext|>"], None, "<|endoftext|>", "phi3"),
    "phi3_5": (None, ["<|user|>", "<|assistant|>", "<|end|>", "<|endoftext|>"], None, "<|endoftext|>", "phi3"),
    "llava_next": (None, ["<s>", "</s>"], "<s>", "</s>", "mistral"),
    "gemma3": (None, ["<bos>", "<end_of_turn>", "<start_of_turn>", "<start_of_image>"], "<bos>", "<end_of_turn>", None),
    "llava": (LLAVA, ["<s>", "</s>"], "<s>", "</s>", "llava"),
    "qwen2": (QWEN2, CHAT_TOKENS, None, "<|im_end|>", "qwen2"),
    "chatml": (CHATML, CHAT_TOKENS, None, "<|im_end|>", "chatml"),
    "onevision": (onevision("\\n", "\\n", "", " + '\\n'"), CHAT_TOKENS, None, "<|im_end|>", "chatml"),
    "onevision-old": (onevision(" ", "", "'\\n' + ", ""), CHAT_TOKENS, None, "<|im_end|>", None),
    "next-34b": (onevision("\\n", "\\n", "", ""), CHAT_TOKENS, None, "<|im_end|>", None),
    "mistral": (MISTRAL, ["<s>", "</s>"], "<s>", "</s>", None),
    "spaced": (SPACED, ["<s>", "</s>"], "<s>", "</s>", None),
}


def render(template, messages, generation, bos, eos):
    text, _ = render_jinja_template([messages], chat_template=template, add_generation_prompt=generation, bos_token=bos or "", eos_token=eos)
    return text[0]


def main():
    result = []
    for name, (template, tokens, bos, eos, known) in TEMPLATES.items():
        template = template or (SHIPPED / f"{name}.jinja").read_text(encoding="utf-8")

        def turn(role, text, image=False):
            if name in ("qwen2", "qwen2_5", "chatml", "mistral", "phi3", "phi3_5"):
                return {"role": role, "content": ("<image>\n" if image else "") + text}
            return {"role": role, "content": ([{"type": "image"}] if image else []) + [{"type": "text", "text": text}]}

        def text(*messages, generation=True):
            whole = render(template, list(messages), generation, bos, eos)
            return whole.removeprefix(bos) if bos else whole

        first = turn("user", "What is this?", image=True)
        result.append({
            "name": name, "template": template, "tokens": tokens, "bos": bos, "eos": eos, "known": known,
            "picture": text(first), "plain": text(turn("user", "What is this?")),
            "later": text(first, turn("assistant", "A red car."), turn("user", "Where?")),
            "answered": text(first, turn("assistant", "A red car."), generation=False),
        })  # fmt: skip
    (HERE / "templates.json").write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
