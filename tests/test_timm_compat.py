import subprocess
import sys
import textwrap


def run(program, *path):
    """Run a program in an interpreter that has imported nothing yet; ``path`` goes in front of its ``sys.path``."""
    lines = f"import sys\nsys.path[:0] = {[str(folder) for folder in path]!r}\n" + textwrap.dedent(program)
    return subprocess.run([sys.executable, "-c", lines], capture_output=True, text=True, timeout=120, check=False)


def test_models_can_be_built_and_run():
    done = run("""
        from lineage_graph.timm_compat import import_timm
        timm = import_timm()
        import torch
        model = timm.create_model("test_resnet", num_classes=3).eval()
        assert model(torch.zeros(2, 3, 32, 32)).shape == (2, 3)
        assert import_timm() is timm
    """)
    assert done.returncode == 0, done.stderr


def test_importing_the_module_imports_nothing_heavy():
    done = run("import lineage_graph.timm_compat; print({'torch', 'torchvision', 'timm'} & set(sys.modules))")
    assert done.stdout == "set()\n", done.stderr


def stub(folder, torchvision):
    (folder / "torchvision.py").write_text(textwrap.dedent(torchvision))
    (folder / "timm.py").write_text("import torchvision\n")
    return folder


def test_nothing_is_defined_where_torchvision_imports(tmp_path):
    done = run(
        """
        from lineage_graph import timm_compat
        assert timm_compat.import_timm().__file__.endswith("timm.py")
        assert timm_compat._define_missing_operators.cache_info().currsize == 0
        """,
        stub(tmp_path, ""),
    )
    assert done.returncode == 0, done.stderr


def test_missing_operators_are_defined(tmp_path):
    torchvision = """
        import torch
        @torch.library.register_fake("torchvision::nms")
        def nms(dets, scores, iou_threshold): ...
    """
    done = run("from lineage_graph.timm_compat import import_timm; import_timm()", stub(tmp_path, torchvision))
    assert done.returncode == 0, done.stderr


def test_other_errors_pass_through(tmp_path):
    done = run(
        "from lineage_graph.timm_compat import import_timm; import_timm()",
        stub(tmp_path, "raise RuntimeError('something else')"),
    )
    assert "something else" in done.stderr.splitlines()[-1]
