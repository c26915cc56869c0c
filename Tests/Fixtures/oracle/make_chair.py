"""Writes the tables that CHAIR needs of English (Sources/Exams/CEnglish) and what NLTK and CHAIR's two scripts make of
made-up captions (Tests/Fixtures/chair).

    python -B Tests/Fixtures/oracle/make_chair.py NLTK_DATA OPERA ORIGINAL INFLECT RELATION REFINED

NLTK_DATA holds punkt_tab, averaged_perceptron_tagger_eng and WordNet 3.0 as NLTK 3.9.1 reads them. The others are
chair.py of shikiw/OPERA at 61426ef, utils/chair.py of LisaAnne/Hallucination at 6e4d33c, and pattern/text/en/inflect.py
of clips/pattern at d25511f. The last two have the words of benchmarks that take lemmas of nouns: data/relation.json of
junyangwang0410/AMBER at 5e1fd52 and eval/data/synonyms_refine.txt of RLHF-V/RLHF-V at 3d35a91.
"""
import json
import os
import random
import re
import struct
import sys
import tempfile
import types
from pathlib import Path

import nltk

assert nltk.__version__ == "3.9.1", nltk.__version__
data, opera_path, original_path, inflect_path, relation_path, refined_path = map(Path, sys.argv[1:7])
nltk.data.path[:] = [str(data)]

import nltk.corpus.reader.wordnet as reader

# Needs a file of senses that lemmas don't.
reader.WordNetCorpusReader.map_wn = lambda self, version="wordnet": None

from nltk.corpus import wordnet
from nltk.stem import WordNetLemmatizer

root = Path(__file__).parents[3]
tables = root / "Sources/Exams/CEnglish"
fixtures = root / "Tests/Fixtures/chair"


def singularizer():
    """`singularize` of pattern.en; the rest of its module needs what Python 3 lacks."""
    source = inflect_path.read_text()
    prepositions = source[source.index("plural_prepositions") : source.index("))", source.index("plural_prepositions")) + 2]
    rules = source[source.index("#### SINGULARIZE") : source.index("#### VERB CONJUGATION")]
    space = {"re": re, "NOUN": "NN"}
    exec(prepositions + "\n" + rules, space)
    return space["singularize"]


def opera():
    module = types.ModuleType("opera")
    source = opera_path.read_text().split("if __name__")[0]
    exec(source.replace("import tqdm", "import types; tqdm = types.SimpleNamespace(trange=range)"), module.__dict__)
    return module


def original():
    """The original with Python 3's print, and no figures of translation, which its file of captions needn't have."""
    module = types.ModuleType("original")
    source = original_path.read_text().split("if __name__")[0]
    source = re.sub(r"^(\s*)print (.*)$", r"\1print(\2)", source, flags=re.M)
    source = re.sub(r"^(from (pattern|misc)|import pdb|sys.path).*$", "", source, flags=re.M)
    for name in ("Bleu_1", "Bleu_2", "Bleu_3", "Bleu_4", "METEOR", "CIDEr", "SPICE", "ROUGE_L"):
        source = source.replace(f"cap_eval['{name}']", "0").replace(f"self.metrics['{name}']", "0")
    module.singularize, module.os = singularizer(), os
    exec(source, module.__dict__)
    return module


def lexicon():
    """Synonyms as the script splits them, double words, and every single word that may matter."""
    module = opera()
    module.CHAIR.get_annotations = lambda self: None
    chair = module.CHAIR("")
    words = {w for w in chair.mscoco_objects if " " not in w}
    for double in chair.double_word_dict:
        words.update(double.split(" "))
    return module, chair, words


def fnv(text):
    value = 0xCBF29CE484222325
    for byte in text.encode():
        value = (value ^ byte) * 0x100000001B3 % 2**64
    return value


def write_tagger():
    folder = data / "taggers/averaged_perceptron_tagger_eng"
    weights, tags, classes = (
        json.loads((folder / f"averaged_perceptron_tagger_eng.{n}.json").read_text())
        for n in ("weights", "tagdict", "classes")
    )
    classes = sorted(classes)
    index = {name: i for i, name in enumerate(classes)}

    def text(string):
        return struct.pack("B", len(string.encode())) + string.encode()

    out = struct.pack("<I", len(classes)) + b"".join(map(text, classes))
    out += struct.pack("<I", len(tags))
    out += b"".join(text(word) + struct.pack("B", index[tag]) for word, tag in sorted(tags.items()))
    features = sorted((fnv(name), own) for name, own in weights.items() if own)
    assert len({hash for hash, _ in features}) == len(features)
    ends, values, labels = [], [], []
    for _, own in features:
        for label, weight in sorted(own.items()):
            value = round(weight * 1000)
            assert value / 1000 == weight
            values.append(value)
            labels.append(index[label])
        ends.append(len(values))
    out += struct.pack("<II", len(features), len(values))
    out += struct.pack(f"<{len(features)}Q", *(hash for hash, _ in features))
    out += struct.pack(f"<{len(ends)}I", *ends)
    out += struct.pack(f"<{len(values)}i", *values) + bytes(labels)
    (tables / "perceptron.bin").write_bytes(out)


def write_punkt():
    """For text in lower case, of which the orthographic contexts leave only words that may begin a sentence."""
    p = nltk.tokenize._get_punkt_tokenizer("english")._params
    lines = [f"abbreviation {a}" for a in sorted(p.abbrev_types)]
    lines += [f"collocation {a} {b}" for a, b in sorted(p.collocations)]
    upper, lower_beginning = 2 | 4 | 8, 16
    lines += [f"starter {w}" for w, c in sorted(p.ortho_context.items()) if not c & upper and c & lower_beginning]
    (tables / "punkt.txt").write_text("\n".join(lines) + "\n")


def nouns():
    """Of AMBER and Object HalBench, which take lemmas of nouns alone."""
    relation = json.loads(relation_path.read_text())
    refined = refined_path.read_text().replace("\n", ", ").split(", ")
    return {*relation, *(w for own in relation.values() for w in own), *(w for name in refined for w in name.split())}


def write_lemmas(words, nouns):
    """Forms that become one of the words, or are one and become another. A lemma comes from a form by itself, by one
    rule or by an exception; so these are all, and any other form may stay as it is: its lemma is none of the words."""
    lemmatize = WordNetLemmatizer().lemmatize
    lines = []
    chair_words = words
    for pos in "nvar":
        words = chair_words | nouns if pos == "n" else chair_words
        forms = set(words)
        for old, new in wordnet.MORPHOLOGICAL_SUBSTITUTIONS[pos]:
            forms |= {w[: len(w) - len(new)] + old for w in words if w.endswith(new)}
        forms |= {form for form, own in wordnet._exception_map[pos].items() if words & set(own)}
        for form in sorted(forms):
            lemma = lemmatize(form, pos)
            if lemma != form and (lemma in words or form in words):
                lines.append(f"{pos} {form} {lemma}")
    (tables / "lemmas.txt").write_text("\n".join(lines) + "\n")


def write_synonyms(module):
    (tables / "synonyms.txt").write_text(module.synonyms_txt.strip("\n") + "\n")


# Made up, with every rule and quirk at least once; none of COCO's words.
SPECIAL = """A bus waits by two buses, an airbus and a minibus near the bus stop.
Three ties and a bow tie lie on the toilet seat; the seat of the toilet is cold.
He has a seat, two seats and a stool in front of a desk.
A motor bike, a motor cycle and a motorbike stand by the cheesecake and the cake.
The iPhone and the smart phone are on a laptop computer next to an iPad.
A tennis racket, a racket, a sports ball and the balls of a baseball bat.
The train track leads to a train and to passenger trains, home plate and a plate.
A baby elephant, an adult bear, baby birds and adult cats watch the baby and an adult.
The wine glasses, a wine glass and glasses stand beside knives, a knive and forks.
An orange cup, orange juice and oranges; a bow, a remote control and remote hills.
People, men, women, children, policemen, oxen, geese, mice, calves, sheep and fish.
She can't see the dog's bone, the dogs' bowls or what they've got; it's gonna rain, gimme a cup.
"Is that a horse?" he asked. (It was a cow.) 'Tis a kite... no -- a bird!
At 3. a.m. the clock, i.e. the big one, stood still. dr. smith vs. mr. jones sat on a sofa. no. 5 is a van.
The u.s. truck weighs 3,500 kg, costs $4.50 and 20% more: see [1], {2} & <3> #4 @home.
Stove top oven, stove, ovens, microwaves, toasters, sinks and a fridge; hair driers and a hairdryer.
Skis, ski, skier, skiers, skiing, snowboarders with snowboards, surfers on surfboards.
Potted plants, houseplants, vases, books, booking a table, parking cars, parking meters, boats and boating.
A man bears a bear; the duck ducks, a fly flies, the cook cooks, birds bird, a dog dogs him, he saw a saw.
Traffic lights, a street light, stop signs, a stop light, fire hydrants and suit cases.
A well-dressed lady-in-waiting with mothers-in-law, 1999 and 12 t-shirts, 5th avenue, x-ray.
Teddy bears, hot dogs, cell phones, mobile phones, dining tables and dinning table.
`Quoted' "words" ''here'' and ``there'' «so» “too” ‘and’ so; 'n roll, d'ye, more'n one, 'twas cannot wanna go.
Scissors, pliers, series, species, news, bison, salmon, cookies, zombies, pies, taxis, broccoli, pizza, data.
Leaves, loaves, wolves, shelves, elves, hooves, lives, wives, knives, gloves, halves, nerves, scarves, hives, olives.
Boxes, buses, churches, bushes, classes, heroes, shoes, quizzes, matrices, indices, analyses, crises, axes, vases, roses.
A turkey, a mouse, the cubs, an animal, an aircraft, airplanes, jets, a passenger jet and jetliners, lorry, lorries.
...and then?! Wait.. what. . . a cat,a dog;a cow:a horse e.g. etc. The end."""

PARTS = (
    "a|the|two|several|one of the|his|an old|many red",
    "man|woman|dog|cats|bus|buses|train|toilet|seat|bench|person|people|horse|sheep|boats|umbrella|knife|wine glass|"
    "glasses|cell phone|laptops|tv|televisions|bowl|oranges|couch|dining table|chairs|plant|potted plants|teddy bear|"
    "children|child|skier|players|motorcycles|motor bike|truck|suitcase|luggage|backpacks|ties|clock|vase|birds|cows",
    "is|are|was|stands|sits|sitting|left|parked|seen|riding|holding|can be seen|walks|playing|driven",
    "near|on top of|next to|behind|with|by|under|in front of|without",
    ".|!|?|, possibly waiting.|; it's quiet.|, while others are watching.|... or not.|, e.g. at night.| at 5 p.m.",
)


def sentences():
    """Special ones, and those put together by counting."""
    choose = random.Random(13)
    made = []
    for _ in range(230):
        parts = [choose.choice(p.split("|")) for p in (PARTS[0], PARTS[1], PARTS[2], PARTS[3], PARTS[0], PARTS[1], PARTS[4])]
        made.append((" ".join(parts[:-1]) + parts[-1]).capitalize())
    pairs = [" ".join(made[i : i + 2]) for i in range(0, 60, 2)]
    return SPECIAL.splitlines() + pairs + ["\n\n".join(made[60:63])] + made[63:]


def write_words(module, chair, words):
    lemmatizer, singularize = WordNetLemmatizer(), singularizer()
    rows = []
    for text in sentences():
        tokens = nltk.word_tokenize(text.lower())
        tagged = nltk.pos_tag(tokens)
        lemmas = [lemmatizer.lemmatize(w, pos=chair.get_wordnet_pos(t) or wordnet.NOUN) for w, t in tagged]
        rows.append(
            {
                "text": text,
                "sentences": nltk.sent_tokenize(text.lower()),
                "words": " ".join(tokens),
                "tags": " ".join(t for _, t in tagged),
                # Those that may matter; an underscore for others.
                "lemmas": " ".join(a if a in words else "_" for a in lemmas),
                "singulars": " ".join(map(singularize, tokens)),
            }
        )
    lines = [json.dumps(r, ensure_ascii=False, separators=(",", ":")) for r in rows]
    (fixtures / "english.jsonl").write_text("\n".join(lines) + "\n")


def write_files():
    """A set of files in COCO's shape, and what both scripts say of captions about it."""
    module, first = opera(), original()
    names = [line.split(", ")[0] for line in module.synonyms_txt.strip("\n").splitlines()]
    categories = [{"supercategory": "thing", "id": i + 1, "name": n} for i, n in enumerate(names)]
    special = SPECIAL.splitlines()
    numbers = [9, 25, 30, 139, 285, 294, 328, 338, 370, 382, 395, 397, 400, 405]
    images = [{"id": n, "file_name": f"COCO_val2014_{n:012d}.jpg", "height": 4, "width": 4} for n in numbers]
    instances = [
        {"segmentation": [[0.5, 1, 2, 3]], "area": 1.5, "iscrowd": 0, "image_id": n, "bbox": [0, 0, 1, 1],
         "category_id": 1 + (k * 7 + j * 13) % 80, "id": k * 10 + j}
        for k, n in enumerate(numbers[:-1]) for j in range(3)
    ]
    captions = [
        {"image_id": n, "id": k * 10 + j, "caption": special[(2 * k + j) % len(special)]}
        for k, n in enumerate(numbers[:-1]) for j in range(2)
    ]
    answers = [
        {"image_id": n, "caption": special[(2 * k) % len(special)] + " " + special[(2 * k + 5) % len(special)]}
        for k, n in enumerate(numbers)
    ]
    answers[3]["caption"] = ""
    head = {"info": {"year": 2014, "nested": {"a": [1, {"b": "]}\"{"}]}}, "images": images, "licenses": [{"id": 1, "name": "none"}]}
    files = {
        "instances_val2014.json": {**head, "annotations": instances, "categories": categories},
        "captions_val2014.json": {**head, "annotations": captions},
    }
    empty = {**head, "images": [], "annotations": [], "categories": categories}
    with tempfile.TemporaryDirectory() as folder:
        for name, content in files.items():
            (fixtures / name).write_text(json.dumps(content))
            (Path(folder) / name).write_text(json.dumps(content))
            (Path(folder) / name.replace("val", "train")).write_text(json.dumps(empty))
        (fixtures / "captions.jsonl").write_text("".join(json.dumps(a) + "\n" for a in answers))
        whole = {"overall": {}, "imgToEval": {str(i): a for i, a in enumerate(answers)}}
        (fixtures / "original.json").write_text(json.dumps(whole, indent=1))
        expected = {}
        own = module.CHAIR(folder)
        expected["wordnet"] = own.compute_chair(str(fixtures / "captions.jsonl"), "image_id", "caption")
        (Path(folder) / "data").mkdir()
        (Path(folder) / "data/synonyms.txt").write_text(module.synonyms_txt.strip("\n") + "\n")
        os.chdir(folder)
        own = first.CHAIR(set(numbers), folder)
        own.get_annotations()
        expected["original"] = own.compute_chair(str(fixtures / "original.json"))
        os.chdir(root)
    for one in expected.values():
        one["sentences"] = [
            {
                "image_id": s["image_id"],
                "truth": sorted(s["mscoco_gt_words"]),
                "generated": s["mscoco_generated_words"],
                "hallucinated": [node for _, node in s["mscoco_hallucinated_words"]],
            }
            for s in one["sentences"]
        ]
        one["overall_metrics"] = {k: v for k, v in one["overall_metrics"].items() if k in ("CHAIRs", "CHAIRi", "Recall", "Len")}
    (fixtures / "expected.json").write_text(json.dumps(expected))


if __name__ == "__main__":
    data, opera_path, original_path, inflect_path = (p.resolve() for p in (data, opera_path, original_path, inflect_path))
    module, chair, words = lexicon()
    write_tagger()
    write_punkt()
    write_lemmas(words, nouns())
    write_synonyms(module)
    write_words(module, chair, words)
    write_files()
