"""Every tooltip of the plugin, in one place."""

from cowgan.text import markup, one_line

TOOLTIPS = {
    "cancel": "Stop this job; what is finished stays",
    "help": "Help: open the page on this in the browser (F1); no network is needed",
    # Model
    "open_checkpoint": "Open a 3D StyleGAN checkpoint (.safetensors, or .pt of the published "
    "code); you can also drop the file on this panel or on the canvas",
    "model_card": "What this model is, what it was trained on and how it may be used",
    "depth": "Number of slices of this model; .pt files do not store it",
    "device": "Where volumes are computed",
    "precision": "Fast uses the quickest number format of the device; exact computes in 32 bits",
    # Undo
    "undo": "Undo the last change (Ctrl+Alt+Z)",
    "redo": "Redo what was undone (Ctrl+Alt+Y)",
    "reset_all": "Back to the plain volume of this seed: no truncation, mixing or directions",
    # View
    "view_axial": "Axial: seen from below, patient's right on the left, front up",
    "view_coronal": "Coronal: seen from the front, patient's right on the left, head up",
    "view_sagittal": "Sagittal: seen from the patient's left, front on the left, head up",
    "three_planes": "Axial, coronal and sagittal slices beside each other, with a cross-hair",
    "rendering": "How the volume is shown: in 3D, with brightness gathered along each line of "
    "sight, or as slices",
    # Seed
    "seed": "The number that names a volume; the same seed gives the same volume on every computer",
    "previous_seed": "Previous seed (Ctrl+Alt+B)",
    "next_seed": "Next seed (Ctrl+Alt+N)",
    "dice": "A random seed (Ctrl+Alt+R)",
    "lock": "Keep this seed: dice, previous, next and browsing leave it alone",
    # Truncation
    "psi": "How far the style may lie from the average one: 0 is the average volume, 1 the seed's "
    "own, lower is more typical but less varied",
    "cutoff": "Truncate only the coarse blocks below this one, so fine detail keeps its variety",
    # Directions
    "direction": "Move along this direction of the latent space, in standard deviations",
    "reset_slider": "Back to where it changes nothing (or double-click the slider)",
    "direction_menu": "Blocks it acts on, name, remove",
    "first_block": "Coarsest block the direction acts on",
    "last_block": "Finest block the direction acts on",
    "find_directions": "Search for directions that change the volume most and add them",
    "more_directions": "Show the directions with smaller effect too",
    "load_directions": "Add the directions of a file",
    "save_directions": "Save these directions with their names",
    "name_edit": "Keep the present mixture of sliders as one direction of its own",
    # Mixing
    "mix_seed": "Seed of the second volume, whose style is mixed in",
    "mix_dice": "A random second seed",
    "mix_amount": "Share of the second style in the chosen blocks",
    "mix_block": "Take the style of this block from the second seed",
    "mix_swap": "Exchange the two seeds",
    "mix_none": "Take every block from the first seed again",
    "parent_first": "First parent: the seed. Click to take every block from it",
    "parent_second": "Second parent. Click to take every block from it",
    # Noise
    "noise_mode": "Off: no noise. Fixed: the same noise for every seed. Random: noise of its own "
    "for every seed",
    "noise_seed": "Seed of the fixed noise",
    "noise_dice": "Other noise, same style",
    "noise_strength": "How strong the noise is; 1 is what the model was trained with",
    # Last session
    "last_session_continue": "Bring back the volume, all settings, A and B of the last session",
    "last_session_dismiss": "Leave the last session; it is forgotten with the next change",
    # Artery legend
    "legend": "Double-click or Enter brings an artery into view, unticking (space) hides it",
    "legend_all": "Show every artery again",
    "legend_none": "Hide every artery, to tick the few that matter",
    # Data
    "scans": "Folder with TOF MRA scans, subfolders included; nothing in it is changed",
    "prepared": "Folder for the prepared volumes, the quality page and the list of what was done; "
    "must lie outside the scans",
    "region": "Where the Circle of Willis is: found by its bright arteries, or known from a "
    "template on which every scan is placed",
    "template": "Average head on which every scan is placed",
    "lengths": "What lengths in the scans are in; choose it only for files that state a wrong unit",
    "scaling": "How a scanner's intensities become 0 to 1: robust ignores a few extreme voxels",
    "skull_strip": "Let a brain extraction program tell the registration which voxels count",
    "jobs": "How many scans are prepared at the same time; fewer need less memory",
    "prepare": "Prepare every scan; those that are done already and have not changed are kept",
    "cases": "Double-click or Enter shows a case; tick what is left out to take it too",
    "open_case": "Add the selected case to the layers",
    "open_quality": "Open the page with the projections and scores of all cases in the browser",
    "build_template": "Average the scans into a template, in three rounds, then use it; ten to "
    "thirty scans of one kind are enough",
    "build_bank": "Put the prepared volumes into one folder that training reads quickly; a tenth "
    "of the subjects is held out",
    # Training: the new run
    "volumes": "What to learn from: a training bank, or a folder of prepared NIfTI volumes, of "
    "which a bank is made first; you can also drop the folder on this panel",
    "bank_scaling": "How the files' intensities become 0 to 1; prepared volumes are so already",
    "preset": "The recipe: losses, rates and discriminator",
    "network": "The architecture; larger ones need more memory and time",
    "network_size": "Voxels that the network makes; a coarse one learns quickly and can be grown "
    "from later",
    "training_device": "Where to train; automatic takes a GPU if there is one",
    "batch": "Volumes per pass; fewer need less memory",
    "steps": "Length of the run; it can be stopped earlier and made longer later",
    "init_from": "Optional: a model of smaller volumes, or the folder of a run, whose weights "
    "the new run starts from",
    "runs": "Folder in which every run gets a folder of its own; the list below shows them",
    "run_name": "Name of the run and of its folder; empty for the one suggested",
    "accumulate": "Passes whose gradients are added up to one step; batch × passes is what a step "
    "learns from",
    "save_every": "Steps between saved states, which a run is resumed from after a crash",
    "sample_every": "Steps between pictures of what the network makes",
    "training_precision": "Number format of convolutions",
    "training_seed": "Decides every random number, so that a run can be repeated",
    "capacity": "Width of the network: half the channels of its finest block",
    "most_channels": "Most channels of any block",
    "measure_time": "Do a few steps of this run, on made-up volumes, to see how long they "
    "take on this computer",
    "place": "A process of its own cannot take napari down with it and may go on without it",
    "start_run": "Start this run",
    "copy_command": "Copy the command that starts this run in a terminal or on a server",
    # Training: the run that is watched
    "grow_run": "Set up a new run that starts from this one, with twice as many voxels along each "
    "side of a slice",
    "pause_run": "Pause after the present step with the state saved, or go on",
    "stop_run": "Save the state and end; the run can be resumed later",
    "chart": "What is drawn",
    "logarithmic": "Draw the vertical axis as a logarithm",
    "smooth": "How much each point is averaged with those before it; the faint line is not",
    # Training: the runs
    "run_list": "Double-click or Enter watches a run; unfold it to see its models",
    "open_run": "Open the selected model, or the newest one of the selected run, in the explorer",
    "watch_run": "Show curves and samples of the selected run, and steer it if it is at work",
    "resume_run": "Go on with the selected run from its last saved state",
    "run_folder": "Open the folder of the selected run",
    "tensorboard": "Show the selected run in TensorBoard, in the browser",
    # Study: the new one
    "real": "Folder of NIfTI volumes, subfolders included; label maps in it are left out",
    "origin": "What makes the generated volumes",
    "model": "Checkpoint (.safetensors, or .pt of the published code) that is rendered",
    "generated": "Folder of NIfTI volumes; one of each subject is taken, by lot",
    "design": "One volume at a time with a rating, or a real and a generated one side by side",
    "readers": "People who read; from three on, a result can be about readers in general",
    "n_cases": "Volumes that each reader judges, half of them generated",
    "repeats": "Trials that come a second time, for the agreement of readers with themselves; "
    "they do not enter the result",
    "practice": "Further volumes at the beginning, after which the right answer is told",
    "impressions": "Further volumes whose quality is asked for before the purpose is told",
    "margin": "How far from chance, 0.5, an AUC may lie to count as equivalent to it; it is "
    "declared now and cannot change later",
    "accuracy": "What the study should be able to show: how often such readers are right",
    "power_table": "Chance to show a difference · chance to show equivalence; the study that is "
    "planned is in bold",
    "marks": "After answering “generated”, up to three places can be marked, with reasons",
    "mip": "Whether readers may switch to the maximum intensity projection",
    "break_trials": "A break is offered at the next border of blocks after so many trials",
    "break_minutes": "A break is offered at the next border of blocks after so many minutes",
    "hint_s": "After this time a hint suggests going on; nothing is forced",
    "crop_z": "Slices cut off at the top and at the bottom",
    "crop_x": "Voxels cut off on the patient's left and right",
    "crop_y": "Voxels cut off in front and at the back",
    "parent": "Folder in which the study gets a folder of its own",
    "study_name": "Name of the study and of its folder; empty for the one suggested",
    "study_seed": "With the same seed, other studies still differ: the secret is always new",
    # Study: the one that is open
    "new_study": "Plan a new study page by page",
    "open_study": "Open a study that was made before",
    "frozen_hash": "SHA-256 of all that is decided: protocol, volumes, key, audit and packages; "
    "once published, it proves that nothing of it was changed afterwards",
    "collected_hash": "SHA-256 of the study and of every answer; published before the truth is "
    "known, it proves that no answer was changed or added afterwards",
    "copy_hash": "Copy one line with the hash, such as for a preregistration",
    "leak_reason": "Why the study is read although the audit found leaks; the report prints it",
    "freeze": "Declare the study ready; from then on packages can be handed out",
    "audit_again": "Read all packages once more and look for anything that gives a kind away",
    "exhibit": "What to show of the volumes that the audit compared",
    "reader_list": "One line for each reader; select one to hand out the package",
    "package_zip": "Save the selected reader's package as one file to send",
    "package_folder": "Open the folder of the selected reader's package",
    "read_here": "Read the selected package on this computer; its answers are collected by "
    "themselves",
    "start_code": "Note the code that the selected reader tells before the first case; what comes "
    "back must have the same",
    "collect_zip": "Take back a returned package or its journal, zipped",
    "collect_folder": "Take back a returned package as a folder",
    "analyse": "Check everything, set the answers against the truth, and write the report",
    "open_report": "Open the report in the browser",
    "open_pdf": "Open the report as PDF",
    # Favourites and comparison
    "add_favourite": "Keep this volume",
    "remove_favourite": "Remove the selected favourites (Del)",
    "favourites": "Click to take, F2 or double-click the name to rename, Del to remove",
    "compare_a": "Keep the present volume as A",
    "compare_b": "Keep the present volume as B",
    "show_a": "Show A",
    "show_b": "Show B",
    "side_by_side": "Show A and B beside the present volume, each with its name",
    "difference": "Show where A is brighter than B in blue, where B is brighter in orange, and "
    "nothing where they are alike",
    # Browsing
    "browse_seeds": "Pictures of many seeds at a glance (Ctrl+Alt+G)",
    "browse_directions": "Pictures of what each direction does, from -3 to 3 sigma",
    "browse": "Seeds from the present one on, or one line of pictures for each direction",
    "browse_previous": "The pictures before",
    "browse_next": "The pictures after",
    "browse_again": "Start from the volume that is shown now",
    "browse_pictures": "Click or Return takes a picture; the arrow keys go from one to the next",
    # Export
    "export_volume": "Save the shown volume as NIfTI, with a JSON file that tells how it was made",
    "export_count": "How many volumes to write",
    "export_first": "First seed; the following ones are counted up",
    "export_many": "Write one NIfTI and one JSON file per seed and a manifest.csv to a folder",
    "save_session": "Save the model's name, all sliders, favourites, A and B to a file",
    "open_session": "Open a saved session",
}


def of_text(text: str) -> str:
    """Return a tooltip that shows a text from a file, in which Qt would look for HTML."""
    return f"<qt>{markup(one_line(text))}</qt>"
