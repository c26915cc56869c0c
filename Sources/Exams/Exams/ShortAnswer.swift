/// How the scripts of VQA, and those that follow it, make two answers of a word or a few comparable.
package enum ShortAnswer {
    /// The EvalAI answer processor, by which LLaVA's scripts judge TextVQA and write submissions
    /// (`llava/eval/m4c_evaluator.py`).
    package static func evalAI(_ text: String) -> String {
        var kept = CodePoints(text).lowercased.filter { $0 != "," && $0 != "?" }
        // Behind all 's a space is put in, from the left.
        var index = 0
        while index + 1 < kept.count {
            if kept[index] == "'", kept[index + 1] == "s" {
                kept.insert(" ", at: index)
                index += 2
            }
            index += 1
        }
        return withoutArticles(withoutMarks(inOneLine(kept.stripped), isDigit: \.isDecimalDigit)).text
    }

    /// VQA's own normalization (`vqaEval.py` of GT-Vision-Lab/VQA at a013f00), for texts that `vqaLine` gave. It was
    /// written for Python 2, where `\d` is an ASCII digit.
    package static func vqa(_ text: String) -> String {
        withoutArticles(withoutMarks(CodePoints(text), isDigit: { ("0"..."9").contains($0) })).text
    }

    /// What VQA does with all answers first.
    package static func vqaLine(_ text: String) -> String { inOneLine(CodePoints(text)).text }

    private static func inOneLine(_ text: CodePoints) -> CodePoints {
        text.map { $0 == "\n" || $0 == "\t" ? " " : $0 }.stripped
    }

    private static let marks = Set(CodePoints(#";/[]"{}()=+\_-><@`,?!"#))
    /// A flag was passed where the scripts' `sub` takes how often it may replace.
    private static let mostPeriods = 32

    /// A mark that touches a space anywhere goes, as all do where digits have a comma between; another becomes a space.
    /// So do periods go that no digit follows, as far as `mostPeriods`.
    static func withoutMarks(_ text: CodePoints, isDigit: (Unicode.Scalar) -> Bool) -> CodePoints {
        var loose: Set<Unicode.Scalar> = []
        var hasThousands = false
        for index in text.indices where marks.contains(text[index]) {
            let before = index > 0 ? text[index - 1] : nil
            let after = index + 1 < text.count ? text[index + 1] : nil
            if before == " " || after == " " { loose.insert(text[index]) }
            guard text[index] == ",", let before, let after else { continue }
            hasThousands = hasThousands || isDigit(before) && isDigit(after)
        }
        let plain = text.compactMap { mark -> Unicode.Scalar? in
            guard marks.contains(mark) else { return mark }
            return hasThousands || loose.contains(mark) ? nil : " "
        }
        var left = mostPeriods
        return plain.indices.compactMap { index -> Unicode.Scalar? in
            let isFollowed = index + 1 < plain.count && isDigit(plain[index + 1])
            guard plain[index] == ".", !isFollowed, left > 0 else { return plain[index] }
            left -= 1
            return nil
        }
    }

    private static let numbers: [CodePoints: CodePoints] = {
        let words = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]
        let known = words.enumerated().map { (CodePoints($1), CodePoints(String($0))) }
        return Dictionary(uniqueKeysWithValues: known + [(CodePoints("none"), CodePoints("0"))])
    }()
    private static let articles = Set(["a", "an", "the"].map { CodePoints($0) })

    private static func withoutArticles(_ text: CodePoints) -> CodePoints {
        let words = text.lowercased.words.map { numbers[$0] ?? $0 }.filter { !articles.contains($0) }
        return CodePoints(words.map { contractions[$0] ?? $0 }.joined(separator: [" "]))
    }

    /// The scripts' table without its four keys that have a capital, which no word has then.
    private static let contractions: [CodePoints: CodePoints] = {
        let table = """
            aint ain't, arent aren't, cant can't, couldve could've, couldnt couldn't, couldn'tve couldn't've,
            couldnt've couldn't've, didnt didn't, doesnt doesn't, dont don't, hadnt hadn't,
            hadnt've hadn't've, hadn'tve hadn't've, hasnt hasn't, havent haven't, hed he'd, hed've he'd've,
            he'dve he'd've, hes he's, howd how'd, howll how'll, hows how's, isnt isn't, itd it'd,
            itd've it'd've, it'dve it'd've, itll it'll, maam ma'am, mightnt mightn't, mightnt've mightn't've,
            mightn'tve mightn't've, mightve might've, mustnt mustn't, mustve must've, neednt needn't,
            notve not've, oclock o'clock, oughtnt oughtn't, ow's'at 'ow's'at, 'ows'at 'ow's'at,
            'ow'sat 'ow's'at, shant shan't, shed've she'd've, she'dve she'd've, shouldve should've,
            shouldnt shouldn't, shouldnt've shouldn't've, shouldn'tve shouldn't've, somebody'd somebodyd,
            somebodyd've somebody'd've, somebody'dve somebody'd've, somebodyll somebody'll,
            somebodys somebody's, someoned someone'd, someoned've someone'd've, someone'dve someone'd've,
            someonell someone'll, someones someone's, somethingd something'd, somethingd've something'd've,
            something'dve something'd've, somethingll something'll, thats that's, thered there'd,
            thered've there'd've, there'dve there'd've, therere there're, theres there's, theyd they'd,
            theyd've they'd've, they'dve they'd've, theyll they'll, theyre they're, theyve they've,
            twas 'twas, wasnt wasn't, wed've we'd've, we'dve we'd've, weve we've, werent weren't,
            whatll what'll, whatre what're, whats what's, whatve what've, whens when's, whered where'd,
            wheres where's, whereve where've, whod who'd, whod've who'd've, who'dve who'd've, wholl who'll,
            whos who's, whove who've, whyll why'll, whyre why're, whys why's, wont won't, wouldve would've,
            wouldnt wouldn't, wouldnt've wouldn't've, wouldn'tve wouldn't've, yall y'all, yall'll y'all'll,
            y'allll y'all'll, yall'd've y'all'd've, y'alld've y'all'd've, y'all'dve y'all'd've, youd you'd,
            youd've you'd've, you'dve you'd've, youll you'll, youre you're, youve you've
            """
        let pairs = table.split(whereSeparator: { ",\n".contains($0) }).map {
            $0.split(separator: " ").map { CodePoints(String($0)) }
        }
        return Dictionary(uniqueKeysWithValues: pairs.map { ($0[0], $0[1]) })
    }()

    /// The share of right answers of VQA (Antol et al. 2015, section 4): for each of the people who were asked, a third
    /// for every other who says the same as the model, at most one; and the mean over all.
    package static func accuracy(saidBy matches: [Bool]) -> Double {
        let count = matches.count { $0 }
        let each = matches.map { min(1, Double(count - ($0 ? 1 : 0)) / 3) }
        return matches.isEmpty ? 0 : each.reduce(0, +) / Double(each.count)
    }

    /// Of TextVQA's evaluator (`TextVQAAccuracyEvaluator`), which processes all answers.
    package static func textVQAAccuracy(_ answer: String, _ references: [String]) -> Double {
        let own = CodePoints(evalAI(answer))
        return accuracy(saidBy: references.map { CodePoints(evalAI($0)) == own })
    }

    /// Of VQA's evaluator, which normalizes only where people disagree.
    package static func vqaAccuracy(_ answer: String, _ references: [String]) -> Double {
        var (own, theirs) = (vqaLine(answer), references.map(vqaLine))
        if Set(theirs.map { CodePoints($0) }).count > 1 {
            own = vqa(own)
            theirs = theirs.map(vqa)
        }
        return accuracy(saidBy: theirs.map { $0.utf8.elementsEqual(own.utf8) })
    }

    /// Letter by letter.
    package static func exactAccuracy(_ answer: String, _ references: [String]) -> Double {
        accuracy(saidBy: references.map { $0.utf8.elementsEqual(answer.utf8) })
    }
}
