"""Makes the file sets of this folder in the shape of benchmarks, and what their own scripts say of them.

    python make_exams.py OFFICIAL

OFFICIAL holds the scripts, each under the name that this one imports or runs:
    m4c.py        llava/eval/m4c_evaluator.py        haotian-liu/LLaVA c121f04
    vqaEval.py    PythonEvaluationTools/vqaEvaluation/vqaEval.py, prints removed    GT-Vision-Lab/VQA a013f00
    gqa_eval.py   playground/data/eval/gqa/data/eval/eval.py    SHI-Labs/VCoder 4e85ace (GQA's own)
    nb.py         naturalbench_vqa.py    Baiqi-Li/NaturalBench 9967605
    repope.py     src/eval_utils.py    YanNeu/RePOPE bcf22e5
    amber.py, metrics.txt    inference.py, data/metrics.txt    junyangwang0410/AMBER 534babf
    objhal.py, synonyms_refine.txt    eval/eval_gpt_obj_halbench.py, eval/data/    RLHF-V/RLHF-V 3d35a91
    mementos.ipynb    GPT-4-assisted_evaluation.ipynb    si0wang/Mementos 7b03657
    hb_utils.py   utils.py    tianyi-lab/HallusionBench d0114ff
"""

import base64, contextlib, io, json, random, re, subprocess, sys, types, warnings
from pathlib import Path

official = Path(sys.argv[1])
here = Path(__file__).parent
sys.path.insert(0, str(official))
warnings.filterwarnings("ignore")
# Modules that the scripts import, and none of what is used here needs.
for name, members in [("tqdm", ["tqdm"]), ("datasets", ["load_dataset"]), ("openai", []), ("prettytable", ["PrettyTable"])]:
    module = types.ModuleType(name)
    for member in members:
        setattr(module, member, lambda x, *_: x)
    sys.modules[name] = module


def write(name, value, lines=False):
    (here / name).parent.mkdir(exist_ok=True)
    text = "".join(json.dumps(x) + "\n" for x in value) if lines else json.dumps(value, indent=1)
    (here / name).write_text(text)


def quietly(call, *arguments):
    with contextlib.redirect_stdout(io.StringIO()):
        return call(*arguments)


from m4c import EvalAIAnswerProcessor, TextVQAAccuracyEvaluator
from vqaEval import VQAEval


class Ids:
    def __init__(self, qa):
        self.qa = qa

    def getQuesIds(self):
        return list(self.qa)


def vqa_eval(gts, results):
    evaluation = VQAEval(Ids(gts), Ids(results))
    evaluation.updateProgress = lambda progress: None
    # As Python 2 reads \d, for which the script was written.
    evaluation.periodStrip = re.compile(r"(?!<=\d)(\.)(?!\d)", re.ASCII)
    evaluation.commaStrip = re.compile(r"(\d)(\,)(\d)", re.ASCII)
    return evaluation


def short_answers():
    pool = ["a", "an", "The", "none", "ten", "Two", "dont", "Id've", "im", "shouldnt've", "'ow'sat", "she's", "Lay's"]
    pool += ["1,000", "1,,0", "3.5", ".5", "5.", "U.S.A.", "a-b", "N/A", "08/13/2011", "!", "?", "-", "(x)", "[", "}"]
    pool += ['"', "\\", "_", "@", ">", "=", ";", ":", "'", "\t", "\n", "  ", "É", "İ", "ΣΑΣ", "٣,٤", "٣.", "\u00a0", "\x1c"]
    pool += ["..", "." * 40, "ss's's", "'S", "$5.00", "ﬁ"]
    draw = random.Random(7)
    process, vqa = EvalAIAnswerProcessor(), vqa_eval({}, {})
    rows = []
    for text in ["1,000", "U.S.A.", "a-b", "N/A", "Lay's", "08/13/2011"] + [
        "".join(draw.choice(pool) + draw.choice(["", " ", "  "]) for _ in range(draw.randint(0, 5))) for _ in range(400)
    ]:
        line = text.replace("\n", " ").replace("\t", " ").strip()
        rows.append([text, process(text), vqa.processDigitArticle(vqa.processPunctuation(line))])
    write("short-answers.json", rows)


def people(*answers):
    return [{"answer": a, "answer_confidence": "yes", "answer_id": i + 1} for i, a in enumerate(answers)]


TEN = [
    ["red"] * 10,
    ["Red."] * 3 + ["red"] * 3 + ["dark red"] * 2 + ["crimson", "wine"],
    ["two"] * 2 + ["2"] + ["3"] * 7,
    ["it's a dog", "its a dog"] + ["dog"] * 8,
    ["1,000"] + ["1000"] * 4 + ["unanswerable"] * 5,
    ["St. Mary's"] * 2 + ["st marys"] * 8,
    ["Yes"] * 10,
]
SAID = ["Red", "RED.", "two", "a dog", "1,000", "St. Mary's", "yes"]


def textvqa():
    data = [
        {"question_id": 34600 + i, "image_id": f"pic{i // 2}", "question": f"What Is Number {i}?", "answers": answers}
        for i, answers in enumerate(TEN)
    ]
    write("textvqa/TextVQA_0.5.1_val.json", {"dataset_name": "textvqa", "data": data})
    suffix = "Answer the question using a single word or phrase."
    prompts = [
        f"What is number {i}?\n" + (f"Reference OCR token: a, b{i}\n" if i != 3 else "") + suffix for i in range(len(TEN))
    ]
    questions = [
        {"question_id": f"pic{i // 2}", "image": f"train_images/pic{i // 2}.jpg", "text": prompt, "category": "default"}
        for i, prompt in enumerate(prompts)
    ]
    write("textvqa/llava_textvqa_val_v051_ocr.jsonl", questions, lines=True)
    answers = [
        {"question_id": q["question_id"], "prompt": q["text"], "text": said, "metadata": {}} for q, said in zip(questions, SAID)
    ]
    # In another order: they are met by id and prompt.
    write("textvqa/answers.jsonl", answers[::-1], lines=True)
    rows = [{"pred_answer": s, "gt_answers": g} for s, g in zip(SAID, TEN)]
    write("textvqa/expected.json", {"accuracy": TextVQAAccuracyEvaluator().eval_pred_list(rows)})
    write(
        "vizwiz/val.json",
        [
            {
                "image": f"VizWiz_val_{i:08}.jpg", "question": "What is this?", "answer_type": "other", "answerable": 1,
                "answers": [{"answer": a, "answer_confidence": "yes"} for a in g],
            }
            for i, g in enumerate(TEN)
        ],
    )
    write("vizwiz/answers.json", [{"image": f"VizWiz_val_{i:08}.jpg", "answer": s} for i, s in enumerate(SAID)])


def vqav2():
    types = ["other", "other", "number", "other", "number", "other", "yes/no"]
    asked = ["what color", "what color", "how many", "what is this", "how many", "what is this", "is the"]
    annotations = [
        {
            "question_id": 42000 + i, "image_id": 42, "question_type": asked[i], "answer_type": types[i],
            "multiple_choice_answer": g[0], "answers": people(*g),
        }
        for i, g in enumerate(TEN)
    ]
    questions = [{"image_id": 42, "question": f"Number {i}?", "question_id": 42000 + i} for i in range(len(TEN))]
    results = [{"question_id": 42000 + i, "answer": s} for i, s in enumerate(SAID)]
    write("vqav2/v2_mscoco_val2014_annotations.json", {"info": {}, "annotations": annotations})
    write("vqav2/v2_OpenEnded_mscoco_val2014_questions.json", {"data_subtype": "val2014", "questions": questions})
    write("vqav2/results.json", results)
    evaluation = vqa_eval(
        {a["question_id"]: json.loads(json.dumps(a)) for a in annotations}, {r["question_id"]: dict(r) for r in results}
    )
    quietly(evaluation.evaluate)
    write("vqav2/expected.json", evaluation.accuracy)


def gqa():
    def question(i, text, answer, structural, semantic, steps, group, balanced=True):
        return {
            "imageId": f"n{i // 3}", "question": text, "answer": answer, "isBalanced": balanced,
            "types": {"structural": structural, "semantic": semantic, "detailed": "x"},
            "groups": {"global": group, "local": "l"}, "entailed": [], "equivalent": [], "annotations": {},
            "semantic": [{"operation": o, "argument": a, "dependencies": []} for o, a in steps],
        }

    rows = [
        ("Is the cup red?", "no", "verify", "attr", [("select", "cup"), ("verify color", "red")], None),
        ("What is  it?", "cup", "query", "obj", [("select", "it"), ("query", "name")], "thing"),
        ("What is it on?", "table", "query", "rel", [("select", "it"), ("relate", "on"), ("query", "name")], "thing"),
        ("What else is there?", "cup", "query", "obj", [("select", "x"), ("exist", "?")], "thing"),
        ("Is it a cup or a bowl?", "bowl", "choose", "cat", [("select", "it"), ("choose name", "cup|bowl")], "thing"),
        ("Are both big?", "yes", "logical", "attr", [("select", "a"), ("select", "b"), ("and", "")], None),
        ("Which is bigger?", "é", "compare", "global", [("select", "a"), ("choose bigger", "a|b")], "size"),
        ("Left out?", "yes", "verify", "attr", [("select", "a")], "size", False),
    ]
    said = ["No.", "Cup..", "the table", "cup", "Bowl", "yes", "e\u0301", "yes"]
    questions = {str(100 + i): question(i, *row) for i, row in enumerate(rows)}
    write("gqa/testdev_balanced_questions.json", questions)
    write(
        "gqa/llava_gqa_testdev_balanced.jsonl",
        [
            {"question_id": k, "image": q["imageId"] + ".jpg", "text": q["question"] + "\nAnswer shortly.", "category": "default"}
            for k, q in questions.items() if q["isBalanced"]
        ],
        lines=True,
    )
    write("gqa/answers.jsonl", [{"question_id": str(100 + i), "text": s} for i, s in enumerate(said)], lines=True)
    # scripts/convert_gqa_for_eval.py
    predictions = [{"questionId": str(100 + i), "prediction": s.rstrip(".").lower()} for i, s in enumerate(said)]
    write("gqa/testdev_balanced_predictions.json", predictions)
    command = [sys.executable, str(official.resolve() / "gqa_eval.py"), "--tier", "testdev_balanced"]
    (here / "gqa/tqdm.py").write_text("tqdm = list\n")
    output = subprocess.run(command, cwd=here / "gqa", capture_output=True, text=True, env={"PYTHONPATH": "."}).stdout
    (here / "gqa/tqdm.py").unlink()
    found = re.findall(r"^ *(\S.*?): (\d+\.\d\d)", output, re.M)
    write("gqa/expected.json", found)


def repope():
    from repope import compute_answer, compute_results

    said = ["Yes", "No", "eyes only", "I know", "maybe", "It is not", "Nope", "YES", "", "Not there."]
    labels = ["yes", "no", "no", "yes", "yes", "no", "no", "yes", "no", "yes"]
    answers = {}
    for offset, split in enumerate(["random", "popular", "adversarial"]):
        rows = [
            {"question_id": i + 1, "image": f"p{i}.jpg", "text": f"Is there a kettle number {i} in the image?", "label": label}
            for i, label in enumerate(labels) if i != offset
        ]
        write(f"repope/coco_repope_{split}.json", rows, lines=True)
        answers[split] = {
            r["question_id"]: {"label": r["label"], "answer": compute_answer(said[r["question_id"] - 1])} for r in rows
        }
    write(
        "repope/answers.jsonl",
        [{"question_id": i + 1, "prompt": f"Is there a kettle number {i} in the image?", "text": s} for i, s in enumerate(said)],
        lines=True,
    )
    evaluator = types.SimpleNamespace(vlm_name="x")
    results = quietly(compute_results, answers, "/tmp", evaluator, "x")
    write("repope/expected.json", results)


def amber():
    kinds = ["discriminative-attribute-state", "discriminative-attribute-number", "discriminative-attribute-action"]
    kinds += ["discriminative-hallucination", "discriminative-relation", "relation"]
    truth = [{"id": 1, "type": "generative", "truth": ["sky"], "hallu": ["cloud"]}]
    queries = [{"id": 1, "image": "AMBER_1.jpg", "query": "Describe this image."}]
    said = [{"id": 1, "response": "A sky."}]
    draw = random.Random(3)
    for i in range(90):
        kind = kinds[i % 6]
        label = "no" if kind == "discriminative-hallucination" else draw.choice(["yes", "no"])
        right = label.capitalize()
        answer = draw.choice([right] * 4 + ["Yes", "No", "no", "No.", "Yes, there is.", "Maybe"])
        truth.append({"id": i + 2, "type": kind, "truth": label})
        queries.append({"id": i + 2, "image": f"AMBER_{i % 7}.jpg", "query": f"Is it so, number {i}?"})
        said.append({"id": i + 2, "response": answer})
    write("amber/annotations.json", truth)
    write("amber/query_all.json", queries)
    write("amber/answers.json", said)
    for name in ["nltk", "nltk.stem", "spacy"]:
        sys.modules[name] = types.ModuleType(name)
    sys.modules["nltk.stem"].WordNetLemmatizer = None
    sys.modules["spacy"].load = lambda name: None
    (here / "relation.json").write_text("{}")
    (here / "safe.txt").write_text("")
    import amber

    def run(rows):
        (here / "said.json").write_text(json.dumps(rows[1:]))
        sys.argv = ["amber", "--word_association", str(here / "relation.json"), "--safe_words", str(here / "safe.txt")]
        sys.argv += ["--inference_data", str(here / "said.json"), "--annotation", str(here / "amber/annotations.json")]
        sys.argv += ["--metrics", str(official / "metrics.txt"), "--evaluation_type", "d"]
        amber.args = amber.get_args()
        output = io.StringIO()
        with contextlib.redirect_stdout(output):
            amber.main(amber.args)
        return [float(x) for x in re.findall(r":\t+ (\S+)", output.getvalue())]

    first = {"yes": "Yes", "no": "No"}
    words = [{"id": r["id"], "response": first.get(re.match(r"\w*", r["response"])[0].lower(), "")} for r in said]
    # Accuracy, precision, recall, F1 of all, existence, attribute, state, number, action, relation.
    write("amber/expected.json", {"official": run(said), "first_word": run(words)})
    for name in ["relation.json", "safe.txt", "said.json"]:
        (here / name).unlink()


def amber_captions():
    """With nltk as installed (3.9.1, its WordNet 3.0, punkt_tab and averaged_perceptron_tagger_eng); word vectors are stood in
    for by the pairs of words that similar_words.json has."""
    for name in ["nltk", "nltk.stem", "spacy", "amber"]:
        sys.modules.pop(name, None)
    relation = {
        "sky": [], "person": ["people", "man"], "man": ["person"], "ship": ["boat"], "yacht": ["ship", "boat"],
        "tree": ["leave", "bush"], "bus": ["car"], "dog": [], "bird": [], "cloud": [], "sun": [], "phone": ["TV"],
        "orange": [], "glass": [],
    }
    similar = {"dog": ["puppy"], "puppy": ["bird"], "cloud": ["sky"], "yacht": ["boat"], "sun": ["orange"]}
    relation["puppy"] = []
    scenes = [(["sky", "ship", "ship", "person"], ["cloud", "bird"]), (["man", "tree", "yacht"], ["dog", "sun"])]
    scenes += [(["bus", "glass"], ["person", "dog"]), (["dog"], ["bird", "tree"]), (["sky"], ["cloud"])]
    said = [
        "Two ships and people under the sky. A boat is near them, and the birds are there with a puppy.",
        "A man stands by the bush and its leaves; they ship a bus in 2019. The yacht has an orange light.",
        "People drink from glasses, e.g. a glass of water. The Dog saw the dogs. A cloud can't hide the sun!",
        "The puppies play, \"a bird\" flies. TVs and a TV stand in a cannot-sea of trees.",
        "",
    ]
    truth = [{"id": i + 1, "type": "generative", "truth": t, "hallu": h} for i, (t, h) in enumerate(scenes)]
    truth.append({"id": 6, "type": "discriminative-relation", "truth": "yes"})
    queries = [{"id": i + 1, "image": f"AMBER_{i + 1}.jpg", "query": "Describe this image."} for i in range(5)]
    queries.append({"id": 6, "image": "AMBER_1.jpg", "query": "Is it so?"})
    write("amber-captions/annotations.json", truth)
    write("amber-captions/query_all.json", queries)
    write("amber-captions/relation.json", relation)
    write("amber-captions/similar_words.json", similar)
    write("amber-captions/answers.json", [{"id": i + 1, "response": text} for i, text in enumerate(said)])
    (here / "amber-captions/safe_words.txt").write_text("orange\nlight\n")
    pairs = {frozenset([a, b]) for a, others in similar.items() for b in others}

    class Vector:
        known = set()

        def __init__(self, word):
            self.word = word

        def similarity(self, other):
            return float(self.word == other.word or frozenset([self.word, other.word]) in self.known)

    sys.modules["spacy"] = types.ModuleType("spacy")
    sys.modules["spacy"].load = lambda name: Vector
    import amber

    def run(known):
        Vector.known = known
        folder = here / "amber-captions"
        sys.argv = ["amber", "--word_association", str(folder / "relation.json"), "--evaluation_type", "g"]
        sys.argv += ["--safe_words", str(folder / "safe_words.txt"), "--inference_data", str(folder / "answers.json")]
        sys.argv += ["--annotation", str(folder / "annotations.json"), "--metrics", str(official / "metrics.txt")]
        amber.args = amber.get_args()
        output = io.StringIO()
        with contextlib.redirect_stdout(output):
            amber.main(amber.args)
        return [float(x) for x in re.findall(r":\t+ (\S+)", output.getvalue())]

    nouns = [[n for n in amber.extract_nouns(x) if n in {*relation, *sum(relation.values(), [])}] for x in said]
    # CHAIR, Cover, Hal, Cog.
    write("amber-captions/expected.json", {"official": run(pairs), "same_words": run(set())})
    write("amber-captions/nouns.json", nouns)


def object_halbench():
    """Without --use_gpt; with nltk as `amber_captions` has it. What is in the pictures stands in ../chair; the script asks for
    files of COCO's other half too, which have nothing."""
    import os, tempfile

    for name in ["openai", "jsonlines", "gpt4_grpc", "spacy", "objhal"]:
        sys.modules[name] = types.ModuleType(name)
    sys.modules.pop("objhal")
    sys.modules["spacy"].load = lambda name: None
    sys.modules["gpt4_grpc"].Chat = lambda **options: None
    sys.modules["jsonlines"].Reader = lambda file: (json.loads(line) for line in file)
    picture = base64.b64encode((here / "../oracle/pictures/picture-0.png").read_bytes()).decode()
    ids = [9, 25, 30, 139, 285, 294, 328]
    said = [
        "Assistant: A bus and two buses wait.  Pedestrians and a brother are near a motor bike, eating cheesecakes.",
        " The remote control lies on the coffee table, beside remotes, a toilet seat and a chair. A seat too. ",
        "Nothing is here that I can name.",
        "A man is walking his dogs; the dog parks. Wine glasses and an iPhone stand on desks.",
        "",
        "Baby elephants, a passenger train on a train track, people's ties and a sports ball.",
        "A car and a clock.",
    ]
    questions = [{"image_id": i, "question": "Describe it.", "image": picture if k % 2 else f"{i}.jpg"} for k, i in enumerate(ids)]
    questions[5].pop("image")
    write("object-halbench/obj_halbench_300_with_image.jsonl", questions, lines=True)
    answers = [{"image_id": i, "question": "Describe it.", "answer": text} for i, text in zip(ids, said)]
    write("object-halbench/answers.jsonl", answers, lines=True)
    before = os.getcwd()
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "eval/data").mkdir(parents=True)
        (Path(folder) / "eval/data/synonyms_refine.txt").write_text((official / "synonyms_refine.txt").read_text())
        for kind in ["instances", "captions"]:
            own = json.loads((here / f"../chair/{kind}_val2014.json").read_text())
            own |= {"info": {}, "licenses": []}
            (Path(folder) / f"{kind}_val2014.json").write_text(json.dumps(own))
            own |= {"images": [], "annotations": []}
            (Path(folder) / f"{kind}_train2014.json").write_text(json.dumps(own))
        os.chdir(folder)
        import objhal

        file = str(here / "object-halbench/answers.jsonl")
        _, pictures, _ = quietly(objhal.load_generated_captions, file)
        chair = quietly(objhal.CHAIR, pictures, folder, "")
        quietly(chair.get_annotations)
        found = quietly(chair.compute_chair, file, -1)
        os.chdir(before)
    rows = [
        [sorted(one["mscoco_gt_words"]), [object for _, object in one["mscoco_generated_words"]]]
        for one in found["sentences"]
    ]
    figures = {k: v for k, v in found["overall_metrics"].items() if not k.startswith("all_gpt")}
    write("object-halbench/expected.json", {"figures": figures, "sentences": rows})


class ObjectGraph:
    def __init__(self, graph):
        self.graph = graph


ActionGraph = type("ActionGraph", (ObjectGraph,), {})


def mementos():
    """The notebook's own rewriting and figures, on graphs that are pickled as its authors pickle theirs."""
    import pickle

    notebook = json.loads((official / "mementos.ipynb").read_text())
    cells = ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]
    space = {}
    for cell in cells:
        if cell.startswith("def find_and_replace"):
            exec(cell, space)
    known = next(cell for cell in cells if cell.startswith("class ActionGraph"))
    exec("import pickle\n" + known, space)
    reading = {}
    for cell in cells:
        for kind in "ao":
            if cell.startswith(f"{kind}_re = []"):
                loop = cell.split("            gpt_des = txt_file.read().strip()\n")[1]
                reading[kind] = "\n".join(line[8:] for line in loop.split("\n"))
    objects = {"puppy": {"": ["dog"]}, "hound": {"": ["dog", "cat"]}, "ball": {"": ["ball"]}, "cap": {"": ["hat"]}}
    actions = {"look": {"up": ["look up"], "": ["see"]}, "bark": {"": ["bark"]}, "leap": {"": ["jump"]}}
    (here / "mementos/sym_graphs").mkdir(parents=True, exist_ok=True)
    for part in ["dl", "robo", "cmc"]:
        for kind, type_, graph in [("object", ObjectGraph, objects), ("action", ActionGraph, actions)]:
            with open(here / f"mementos/sym_graphs/{part}_{kind}_graph_v1.pkl", "wb") as file:
                pickle.dump(type_(graph), file, protocol=4)
    replies = {
        "rw_1.png": "Object list 1: [dog, cat, hat]\nAction list 1: [look up, bark]\n\n"
        "Object list 2: [hound, puppy, cap, tree]\nAction list 2: [look, up, bark, run, sit]",
        "rw_2.png": "Object list 1: [dog]\nAction list 1: []\nObject list 2: [hound, puppy, cat]\nAction list 2: [see]",
        "rb_3.png": "Object list 1: [ball, cup]\nAction list 1: [jump]\nObject list 2: [cup, ball, ball]\nAction list 2: [jump, leap]",
        "cmc_4.png": "Object list 1: []\nAction list 1: [see]\nObject list 2: []\nAction list 2: [look] ",
    }
    table = 'image_name,description\nrw_1.png,"A dog, a cat\nand a hat."\nrw_2.png,A dog \xe9.\n'
    (here / "mementos/dl_description.csv").write_bytes(table.encode("latin-1"))
    (here / "mementos/robo_description.csv").write_text("image,description\nrb_3.png,A ball.\n")
    (here / "mementos/cmc_description.csv").write_text("image_name,gt_description\ncmc_4.png,Nothing.\n")
    found = {}
    for name, reply in replies.items():
        own = {"gpt_des": reply.strip()}
        for kind, graph in [("o", objects), ("a", actions)]:
            graph_object = space["ActionGraph"]()
            graph_object.graph = graph
            own |= space | {f"{kind}_re": [], f"{kind}_pre": [], f"{kind}_f1": []}
            own |= {"object_graph": graph_object, "action_graph": graph_object}
            exec(reading[kind], own)
            found.setdefault(name, []).extend(own[f"{kind}_{x}"][0] for x in ["re", "pre", "f1"])
    write("mementos/replies.json", replies)
    write("mementos/expected.json", found)


def rule(text):
    """YOrN_Extraction of open-compass/VLMEvalKit 0c7163c, whose process_punctuation is VQA's."""
    words = vqa_eval({}, {}).processPunctuation(text.lower()).split()
    return "yes" if "yes" in words and "no" not in words else "no" if "no" in words and "yes" not in words else None


def hallusionbench():
    import hb_utils

    draw = random.Random(5)
    said = ["Yes.", "No, it is not.", "yes/no", "Certainly!", "no-one knows", "Yes, no doubt", "It is so, yes", "NO", "Yes"]
    rows = []
    for category, subcategory in [("VD", "ocr"), ("VS", "ocr"), ("VS", "chart")]:
        for s in range(3):
            for figure in range(3):
                for question in range(2):
                    rows.append(
                        {
                            "category": category, "subcategory": subcategory, "visual_input": str(figure), "set_id": str(s),
                            "figure_id": str(figure), "sample_note": "x", "question_id": str(question),
                            "question": f"Is {figure} more than {question}?", "gt_answer_details": "x",
                            "gt_answer": draw.choice("01"),
                            "filename": None if category == "VS" and figure == 0 else f"./{category}/{subcategory}/{s}_{figure}.png",
                        }
                    )
    write("hallusionbench/HallusionBench.json", rows)
    results = []
    for row in rows:
        right = "Yes, it is." if row["gt_answer"] == "1" else "No, it isn't."
        answer = draw.choice([right] * 12 + said)
        results.append({k: v for k, v in row.items() if k != "gt_answer"} | {"model_prediction": answer})
        found = rule(answer)
        row["check"] = "2" if found is None else str(int((found == "yes") == (row["gt_answer"] == "1")))
        row["same"] = "0"
    write("hallusionbench/results.json", results)
    data = hb_utils.assign_correctness(rows, "check")
    figures = {
        "aAcc": hb_utils.get_eval_all(data, "check"), "qAcc": hb_utils.get_eval_pair_all(data, "check"),
        "fAcc": hb_utils.get_eval_fig(data), "easy": hb_utils.get_eval_pair_easy(data), "hard": hb_utils.get_eval_pair_hard(data),
    }
    write("hallusionbench/expected.json", {k: [int(v["correct"]), v["total"]] for k, v in figures.items()})


def naturalbench():
    import nb

    draw = random.Random(11)
    kinds = ["yes_no", "multiple_choice"]
    groups, said = [], []
    for i in range(12):
        kind = kinds[i % 2]
        yes, no = ("Yes", "No") if kind == "yes_no" else ("A", "B")
        groups.append(
            {
                "Index": i, "Question_0": f"Is it {i}? ", "Question_1": f"Is it not {i}? ", "Image_0": f"{i}_0.jpg",
                "Image_1": f"{i}_1.jpg", "Image_0_Question_0": yes, "Image_1_Question_0": no, "Image_0_Question_1": no,
                "Image_1_Question_1": yes, "Question_Type": kind,
            }
        )
        for right in [yes, no, no, yes]:
            said.append(draw.choice([right] * 20 + ["Certainly", "no, yes", "Yes_no", "option b.", "A or B", "yés", right.lower()]))
    write("naturalbench/naturalbench.json", groups)
    write("naturalbench/answers.jsonl", [{"question_id": i, "text": s} for i, s in enumerate(said)], lines=True)
    found = [quietly(nb.extract_answer, s, groups[i // 4]["Question_Type"]) for i, s in enumerate(said)]
    write("naturalbench/expected.json", nb.get_scores([found[i : i + 4] for i in range(0, len(found), 4)]))


for make in [short_answers, textvqa, vqav2, gqa, repope, amber, amber_captions, object_halbench, mementos, hallusionbench, naturalbench]:
    make()
